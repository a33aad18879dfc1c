/* Firmware in C and C++ that uses the services of protocol 0.3. Returns the line of the first answer that is wrong, or 0. */

static int posix_services(void)
{
    static const char arguments[] = "program\0-v";
    mb_stat status;
    mb_time time;
    const mb_dirent *entry;
    uint64_t directory[(MB_DIRENT_MAX + 7) / 8];
    char buf[sizeof arguments];
    size_t i;

    CHECK(mb_version(&mailbox) == MB_NEWEST);
    CHECK(mb_posix_open(&mailbox, "f", MB_O_RDWR | MB_O_CREAT | MB_O_EXCL, 0644) == 0x40000000 + 0xc2 + 0644);
    CHECK(mb_posix_open(&mailbox, "absent", MB_O_RDONLY, 0) == -MB_ENOENT);
    CHECK(mb_lseek(&mailbox, 10, -2, MB_SEEK_END) == ((int64_t)1 << 40) - 2);
    CHECK(mb_lseek(&mailbox, 10, INT64_MIN, MB_SEEK_SET) == -MB_EINVAL);
    CHECK(mb_fstat(&mailbox, 10, &status) == 0);
    CHECK(status.size == (uint64_t)1 << 40 && status.mode == 0100644 && MB_FILE_TYPE(status.mode) == MB_DT_REG);
    CHECK(mb_stat_path(&mailbox, "absent", &status) == -MB_ENOENT);
    CHECK(mb_stat_path(&mailbox, "f", &status) == 0 && status.links == 1 && status.modified.seconds == 5);
    CHECK(mb_access(&mailbox, "f", MB_R_OK | MB_W_OK) == 0);
    CHECK(mb_unlink(&mailbox, "f") == 0 && mb_unlink(&mailbox, "absent") == -MB_ENOENT);
    CHECK(mb_rename(&mailbox, "f", "new") == 0 && mb_rename(&mailbox, "f", "f") == -MB_EINVAL);
    CHECK(mb_mkdir(&mailbox, "f", 0755) == 0 && mb_rmdir(&mailbox, "f") == 0);
    CHECK(mb_readdir(&mailbox, 11, directory, sizeof directory) == 16);
    entry = (const mb_dirent *)directory;
    CHECK(entry->inode == 3 && entry->size == 16 && entry->type == MB_DT_DIR && entry->length == 3);
    CHECK(entry->name[0] == 's' && entry->name[2] == 'b' && entry->name[3] == 0);
    CHECK(mb_ftruncate(&mailbox, 10, (uint64_t)1 << 33) == 0);
    CHECK(mb_fsync(&mailbox, 10) == 0);
    CHECK(mb_argv(&mailbox, buf, sizeof buf) == (mb_sword)sizeof arguments);
    for (i = 0; i < sizeof arguments; i++)
        CHECK(buf[i] == arguments[i]);
    CHECK(mb_env(&mailbox, buf, 3) == (mb_sword)sizeof arguments);
    CHECK(mb_get_time(&mailbox, &time) == 0 && time.seconds == (int64_t)1 << 33 && time.nanoseconds == 999999999u);
    CHECK(mb_random(&mailbox, buf, 4) == 4 && buf[0] == 0x5a && buf[3] == 0x5a && buf[4] != 0x5a);
    CHECK(mb_checked_close(&mailbox, 10) == 0 && mb_checked_close(&mailbox, 99) == -MB_EBADF);
    return 0;
}

/* The same firmware on a host of protocol 0.2: nothing is sent. */
static int posix_services_are_missing(void)
{
    mb_stat status;
    mb_time time;
    char buf[4];

    CHECK(mb_version(&mailbox) == MB_VERSION);
    CHECK(mb_posix_open(&mailbox, "f", MB_O_RDONLY, 0) == -MB_ENOSYS);
    CHECK(mb_checked_close(&mailbox, 10) == -MB_ENOSYS);
    CHECK(mb_lseek(&mailbox, 10, 0, MB_SEEK_CUR) == -MB_ENOSYS);
    CHECK(mb_fstat(&mailbox, 10, &status) == -MB_ENOSYS && mb_stat_path(&mailbox, "f", &status) == -MB_ENOSYS);
    CHECK(mb_access(&mailbox, "f", MB_F_OK) == -MB_ENOSYS && mb_unlink(&mailbox, "f") == -MB_ENOSYS);
    CHECK(mb_rename(&mailbox, "f", "new") == -MB_ENOSYS && mb_mkdir(&mailbox, "f", 0755) == -MB_ENOSYS);
    CHECK(mb_rmdir(&mailbox, "f") == -MB_ENOSYS && mb_readdir(&mailbox, 11, buf, sizeof buf) == -MB_ENOSYS);
    CHECK(mb_ftruncate(&mailbox, 10, 0) == -MB_ENOSYS && mb_fsync(&mailbox, 10) == -MB_ENOSYS);
    CHECK(mb_argv(&mailbox, buf, sizeof buf) == -MB_ENOSYS && mb_env(&mailbox, buf, sizeof buf) == -MB_ENOSYS);
    CHECK(mb_get_time(&mailbox, &time) == -MB_ENOSYS && mb_random(&mailbox, buf, sizeof buf) == -MB_ENOSYS);
    return 0;
}
