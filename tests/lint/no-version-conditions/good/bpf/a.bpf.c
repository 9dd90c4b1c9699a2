#if defined(__TARGET_ARCH_x86)
#endif
