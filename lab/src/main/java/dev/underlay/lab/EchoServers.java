package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** An {@link EchoServer} in each of several namespaces. */
final class EchoServers implements AutoCloseable {
    private final List<EchoServer> servers = new ArrayList<>();

    private EchoServers() {}

    static EchoServers in(List<Netns> namespaces) throws IOException {
        EchoServers all = new EchoServers();
        try {
            for (Netns namespace : namespaces) {
                all.servers.add(new EchoServer(namespace));
            }
            return all;
        } catch (IOException e) {
            all.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        for (EchoServer server : servers) {
            server.close();
        }
    }
}
