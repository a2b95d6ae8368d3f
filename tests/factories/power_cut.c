/* What a disk is sure to hold: at every fsync or fdatasync of a file below $POWER_CUT_ROOT, and every write to one that
   was opened for synced writes, its content is copied to $POWER_CUT_IMAGE, at every fsync of a folder its names are.
   Preloaded into the processes of a test. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The image of `below` is $IMAGE + kind + below, every slash below the root written as `%`. */
static void image_of(const char *kind, const char *below, char *out) {
    snprintf(out, PATH_MAX, "%s/%s%s", getenv("POWER_CUT_IMAGE"), kind, below);
    for (char *c = out + strlen(getenv("POWER_CUT_IMAGE")) + 1; *c; c++)
        if (*c == '/') *c = '%';
}

static void keep_content(const char *path, const char *below) {
    static char buffer[1 << 16];
    char image[PATH_MAX], part[PATH_MAX + 32];
    image_of("c", below, image);
    snprintf(part, sizeof part, "%s.part%d", image, getpid());
    int from = open(path, O_RDONLY | O_CLOEXEC), to = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t size;
    while (from >= 0 && to >= 0 && (size = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, size) != size) abort();
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    if (rename(part, image) != 0) abort();
}

static void keep_names(const char *path, const char *below) {
    char prefix[PATH_MAX], image[PATH_MAX];
    struct dirent *entry;
    DIR *folder = opendir(path);
    while (folder && (entry = readdir(folder))) {
        if (entry->d_type != DT_REG) continue;
        char child[PATH_MAX];
        snprintf(child, sizeof child, "%s/%s", below, entry->d_name);
        image_of("n", child, image);
        int made = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (made >= 0) close(made);
    }
    if (folder) closedir(folder);
    /* names that are gone */
    image_of("n", below, prefix);
    strcat(prefix, "%");
    folder = opendir(getenv("POWER_CUT_IMAGE"));
    const char *start = prefix + strlen(getenv("POWER_CUT_IMAGE")) + 1;
    while (folder && (entry = readdir(folder))) {
        const char *rest = entry->d_name + strlen(start);
        if (strncmp(entry->d_name, start, strlen(start)) != 0 || strchr(rest, '%')) continue;
        char real[2 * PATH_MAX];
        snprintf(real, sizeof real, "%s/%s", path, rest);
        if (access(real, F_OK) != 0) {
            snprintf(image, sizeof image, "%s/%s", getenv("POWER_CUT_IMAGE"), entry->d_name);
            unlink(image);
        }
    }
    if (folder) closedir(folder);
}

static void keep(int fd) {
    const char *root = getenv("POWER_CUT_ROOT");
    char link[64], path[PATH_MAX];
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = root ? readlink(link, path, sizeof path - 1) : -1;
    if (size > 0) {
        path[size] = 0;
        size_t length = strlen(root);
        if (strncmp(path, root, length) == 0 && fstat(fd, &about) == 0 && about.st_nlink > 0) {
            if (S_ISDIR(about.st_mode)) keep_names(path, path + length);
            else keep_content(path, path + length);
        }
    }
}

static int synced(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    keep(fd);
    return real(fd);
}

/* What a write gave back, its file kept where it was opened for synced writes. */
static ssize_t kept(int fd, ssize_t written) {
    int flags = fcntl(fd, F_GETFL);
    if (written > 0 && flags >= 0 && flags & O_DSYNC) keep(fd);
    return written;
}

ssize_t write(int fd, const void *bytes, size_t size) {
    ssize_t (*real)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return kept(fd, real(fd, bytes, size));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t place) {
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    return kept(fd, real(fd, bytes, size, place));
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
