package dev.underlay.pool.tune;

/** A node's pool as a kubelet sees it, under either policy. */
interface NodePool {
    /** Who hears how an ADD ended. */
    interface Kubelet {
        /** The pod has an address. */
        void served(int pod);

        /** The ADD failed; the kubelet tries again later. */
        void failed(int pod);
    }

    /** The node comes up. */
    void boot();

    /** A pod needs an address; the kubelet hears how it ends, perhaps at once. */
    void add(int pod);

    /** A pod that was served is gone. */
    void del(int pod);
}
