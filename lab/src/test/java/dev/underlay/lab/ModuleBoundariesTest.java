package dev.underlay.lab;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * Who may use whom, for all modules: the lab alone sees the classes of every one. Each rule says
 * why it is there; think twice before one is changed.
 */
@AnalyzeClasses(packages = "dev.underlay", importOptions = DoNotIncludeTests.class)
final class ModuleBoundariesTest {
    private static final String POOL = "dev.underlay.pool..";
    private static final String AWS = "dev.underlay.cloud.aws..";
    private static final String CNI = "dev.underlay.cni..";
    private static final String IPAMD = "dev.underlay.ipamd..";
    private static final String VPC = "dev.underlay.localvpc..";
    private static final String LAB = "dev.underlay.lab..";
    private static final String ANNOTATIONS = "org.jspecify.annotations..";

    @ArchTest
    static final ArchRule warm_pool_knows_the_jdk_alone =
            classes()
                    .that()
                    .resideInAPackage(POOL)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(POOL, "java..", ANNOTATIONS)
                    .because("the domain is replayed by a simulator and must run anywhere");

    @ArchTest
    static final ArchRule warm_pool_has_no_clock_thread_random_or_io =
            noClasses()
                    .that()
                    .resideInAPackage(POOL)
                    .should()
                    .dependOnClassesThat(
                            resideInAnyPackage(
                                    "java.io..",
                                    "java.nio.channels..",
                                    "java.nio.file..",
                                    "java.util.concurrent..",
                                    "java.util.logging..",
                                    "java.lang.foreign..",
                                    "java.net.http.."))
                    .orShould()
                    .dependOnClassesThat()
                    .haveNameMatching(
                            "java\\.time\\.(Clock|InstantSource|LocalDate.*|ZonedDateTime)"
                                    + "|java\\.lang\\.(Thread.*|Process.*|Runtime)"
                                    + "|java\\.util\\.(Random|SplittableRandom|Timer.*)"
                                    + "|java\\.util\\.random\\..*"
                                    + "|java\\.security\\.SecureRandom"
                                    + "|java\\.net\\.(Socket.*|ServerSocket|URL|URLConnection)")
                    .orShould()
                    .callMethod(System.class, "nanoTime")
                    .orShould()
                    .callMethod(System.class, "currentTimeMillis")
                    .orShould()
                    .callMethod(Math.class, "random")
                    .orShould()
                    .callMethod(java.time.Instant.class, "now")
                    .orShould()
                    .callMethod(java.util.UUID.class, "randomUUID")
                    .because(
                            "time and randomness come in as arguments, or a seed does not repeat a"
                                    + " run");

    @ArchTest
    static final ArchRule cloud_aws_knows_the_port_it_implements_and_its_sdk =
            classes()
                    .that()
                    .resideInAPackage(AWS)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            AWS,
                            POOL,
                            "java..",
                            "jdk.jfr..",
                            "software.amazon.awssdk..",
                            "com.github.benmanes.caffeine.cache..",
                            "io.github.resilience4j..",
                            "org.slf4j..",
                            ANNOTATIONS)
                    .because("a cloud is replaceable: it is known by the pool's port alone");

    @ArchTest
    static final ArchRule cni_knows_the_protocol_and_the_kernel_alone =
            classes()
                    .that()
                    .resideInAPackage(CNI)
                    .should()
                    .onlyDependOnClassesThat()
                    .resideInAnyPackage(
                            CNI, "java..", "jnr.ffi..", "com.fasterxml.jackson..", ANNOTATIONS)
                    .because("what wires pods must not depend on a cloud, a pool or a log");

    @ArchTest
    static final ArchRule native_code_is_called_from_two_packages =
            noClasses()
                    .that()
                    .resideInAPackage("dev.underlay..")
                    .and()
                    .resideOutsideOfPackages("dev.underlay.cni.linux", "dev.underlay.cni.nft")
                    .should()
                    .dependOnClassesThat(resideInAnyPackage("jnr..", "java.lang.foreign.."))
                    .because("a wrong pointer ends the process: few lines may hold one");

    @ArchTest
    static final ArchRule ipamd_is_production_code =
            noClasses()
                    .that()
                    .resideInAPackage(IPAMD)
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(VPC, LAB))
                    .because("the daemon must run without anything that imitates a cloud");

    @ArchTest
    static final ArchRule the_sdk_stays_behind_the_cloud_module =
            noClasses()
                    .that()
                    .resideInAnyPackage(IPAMD, CNI, POOL, LAB)
                    .should()
                    .dependOnClassesThat(resideInAnyPackage("software.amazon.awssdk.."))
                    .because("the daemon knows clouds by the pool's port");

    @ArchTest
    static final ArchRule the_local_vpc_shares_no_code_with_what_it_judges =
            noClasses()
                    .that()
                    .resideInAPackage(VPC)
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(AWS, POOL, IPAMD, LAB))
                    .because("an error in the client must not be repeated in its judge");

    @ArchTest
    static final ArchRule the_lab_meets_the_daemon_as_a_process =
            noClasses()
                    .that()
                    .resideInAPackage(LAB)
                    .should()
                    .dependOnClassesThat(resideInAnyPackage(IPAMD, AWS, POOL))
                    .because("what is shown must be what is shipped: jars, a socket and a binary");

    @ArchTest
    static final ArchRule kubernetes_is_known_in_one_package =
            noClasses()
                    .that()
                    .resideInAPackage("dev.underlay..")
                    .and()
                    .resideOutsideOfPackage("dev.underlay.ipamd.kube..")
                    .should()
                    .dependOnClassesThat(resideInAnyPackage("io.fabric8.."))
                    .because("nothing that serves pods may wait for an API server");
}
