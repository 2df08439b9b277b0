/** The domain of Underlay; it knows the JDK's base module and nothing else. */
module dev.underlay.pool {
    requires static transitive org.jspecify;

    exports dev.underlay.pool;
    exports dev.underlay.pool.tune;
}
