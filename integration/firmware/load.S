/* Data of 64 KiB to measure the time of a load. Not a program. */
    .data
    .set word, 0
    .rept 0x4000
    .word 0x01020304 + 0x00010101 * word
    .set word, word + 1
    .endr
