package dev.underlay.cni.linux;

import java.nio.ByteBuffer;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;
import jnr.ffi.annotations.SaveError;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;

/**
 * The C library's functions that {@link Linux} uses. Pointers are direct byte buffers in native
 * order. Public only because jnr-ffi generates the implementation elsewhere; call {@link Linux}.
 */
public interface LibC {
    @SaveError
    int socket(int domain, int type, int protocol);

    @SaveError
    int bind(int fd, ByteBuffer address, int length);

    @SaveError
    int connect(int fd, ByteBuffer address, int length);

    @SaveError
    int listen(int fd, int backlog);

    @SaveError
    int accept4(int fd, @Out ByteBuffer address, ByteBuffer length, int flags);

    @SaveError
    int setsockopt(int fd, int level, int name, ByteBuffer value, int length);

    @SaveError
    int getsockopt(int fd, int level, int name, ByteBuffer value, ByteBuffer length);

    @SaveError
    @ssize_t
    long recvmsg(int fd, ByteBuffer header, int flags);

    @SaveError
    @ssize_t
    long sendmsg(int fd, ByteBuffer header, int flags);

    @SaveError
    @ssize_t
    long recvfrom(
            int fd,
            @Out ByteBuffer buffer,
            @size_t long length,
            int flags,
            @Out ByteBuffer address,
            ByteBuffer addressLength);

    @SaveError
    @ssize_t
    long send(int fd, @In ByteBuffer buffer, @size_t long length, int flags);

    @SaveError
    @ssize_t
    long write(int fd, @In ByteBuffer buffer, @size_t long length);

    @SaveError
    int shutdown(int fd, int how);

    @SaveError
    int poll(ByteBuffer descriptors, long count, int timeoutMillis);

    @SaveError
    int open(String path, int flags, int mode);

    @SaveError
    int close(int fd);

    @SaveError
    int fstat(int fd, @Out ByteBuffer stat);

    @SaveError
    int setns(int fd, int type);

    @SaveError
    int mount(String source, String target, String type, long flags, String data);

    @SaveError
    int umount2(String target, int flags);

    @SaveError
    int clock_gettime(int clock, @Out ByteBuffer timespec);

    String strerror(int errno);
}
