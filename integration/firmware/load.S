/* 64 KiB to load, for measuring how long that takes; no program. */
    .data
    .set word, 0
    .rept 0x4000
    .word 0x01020304 + 0x00010101 * word
    .set word, word + 1
    .endr
