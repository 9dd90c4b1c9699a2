bool a(void);
