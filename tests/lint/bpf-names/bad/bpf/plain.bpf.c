SEC("tp_btf/x")
int import_function_entered(void *ctx)
