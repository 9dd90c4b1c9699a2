int f(void) { return model__process_cnt(model); }
