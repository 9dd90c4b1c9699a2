int f(void) { return model__finish(model, 0); }
