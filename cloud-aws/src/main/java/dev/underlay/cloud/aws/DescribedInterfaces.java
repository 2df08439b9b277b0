package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import java.util.ArrayList;
import java.util.List;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;

/** DescribeNetworkInterfaces, all pages of it. */
final class DescribedInterfaces {
    /** EC2's largest page. */
    private static final int PAGE_SIZE = 1_000;

    /** A bound against a service that hands out tokens without end. */
    private static final int MAX_PAGES = 20;

    private DescribedInterfaces() {}

    /**
     * All that pass the filters.
     *
     * @param thing what is looked for, for messages
     */
    static List<NetworkInterface> by(
            Ec2Api ec2, String thing, List<Filter> filters, Deadline deadline) throws CallFailure {
        List<NetworkInterface> found = new ArrayList<>();
        DescribeNetworkInterfacesRequest.Builder request =
                DescribeNetworkInterfacesRequest.builder().filters(filters).maxResults(PAGE_SIZE);
        for (int page = 0; page < MAX_PAGES; page++) {
            DescribeNetworkInterfacesResponse answer =
                    ec2.call(
                            Ec2Action.DESCRIBE_NETWORK_INTERFACES,
                            thing,
                            deadline,
                            request.build(),
                            Ec2Client::describeNetworkInterfaces,
                            it -> it);
            found.addAll(answer.networkInterfaces());
            if (answer.nextToken() == null || answer.nextToken().isEmpty()) {
                return found;
            }
            request.nextToken(answer.nextToken());
        }
        throw CallFailure.certain(
                Refusal.UNAVAILABLE,
                "EC2 DescribeNetworkInterfaces for "
                        + thing
                        + " has more than "
                        + MAX_PAGES
                        + " pages; that is not believed");
    }
}
