/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies in a capture file, for its writer and its reader alone. Little endian. */
#ifndef EVENT_CAPTURE_FORMAT_H
#define EVENT_CAPTURE_FORMAT_H

#include <linux/types.h>

/* Not text, and damaged by whoever thinks it is: as PNG does it. */
#define CAPTURE_MAGIC "\x89PYI\r\n\x1a\n"
#define CAPTURE_BYTE_ORDER 0x01020304u
#define CAPTURE_BLOCK_MAGIC 0x4b4c4250u  /* PBLK: a zlib stream of its own; up to version 1 */
#define CAPTURE_STREAM_MAGIC 0x5a4c4250u /* PBLZ: the next part of one zstd stream */
#define CAPTURE_WINDOW_LOG_MAX 23        /* of that stream: 8 MiB */
#define CAPTURE_BLOCK_SZ (256u << 10)   /* of frames, before a block is written */
#define CAPTURE_BLOCK_MAX (CAPTURE_FRAME_MAX + CAPTURE_BLOCK_SZ)
#define CAPTURE_SHAPES_MAX 1024
#define CAPTURE_ALIGN 8

struct capture_header {
	char magic[8];
	__u32 version;    /* of the format; raised when older readers would misread */
	__u32 header_sz;  /* where the blocks begin */
	__u32 byte_order;
	__u32 abi;        /* PYI_ABI_VERSION of the records */
	__u32 shape_cnt;
	__u32 pad;
	__u32 shapes[];   /* by kind of record: size of its fixed part, 0 = no such kind */
};

struct capture_block {
	__u32 magic;
	__u32 stored_sz;  /* bytes that follow; in a stream behind struct capture_sum */
	__u32 raw_sz;     /* what they unpack to */
	__u32 frame_cnt;
};

struct capture_sum {
	__u32 crc32; /* of what the block unpacks to */
	__u32 pad;
};

/* Followed by @size bytes, and zeros up to a multiple of CAPTURE_ALIGN. */
struct capture_frame_head {
	__u32 size;
	__u16 type;
	__u16 pad;
};

#endif
