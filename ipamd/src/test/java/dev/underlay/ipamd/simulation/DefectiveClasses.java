package dev.underlay.ipamd.simulation;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.MethodTypeDesc;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The project's classes loaded once more, one of them with a defect that is made in its byte code:
 * production has no switch for it.
 */
final class DefectiveClasses extends ClassLoader {
    private static final String OURS = "dev.underlay.";

    private final String defective;
    private final ClassTransform defect;
    private boolean made;

    /**
     * @param defective the name of the class, from behind {@code dev.underlay.}
     */
    DefectiveClasses(String defective, ClassTransform defect) {
        super(DefectiveClasses.class.getClassLoader());
        this.defective = OURS + defective;
        this.defect = defect;
    }

    /** Whether the class was loaded with its defect. */
    boolean made() {
        return made;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
        synchronized (getClassLoadingLock(name)) {
            Class<?> loaded = findLoadedClass(name);
            if (loaded == null) {
                loaded = name.startsWith(OURS) ? own(name) : super.loadClass(name, false);
            }
            return loaded;
        }
    }

    private Class<?> own(String name) throws ClassNotFoundException {
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
            if (in == null) {
                throw new ClassNotFoundException(name);
            }
            byte[] bytes = in.readAllBytes();
            if (name.equals(defective)) {
                ClassFile files = ClassFile.of();
                byte[] changed = files.transformClass(files.parse(bytes), defect);
                if (changed.length == bytes.length && Arrays.equals(changed, bytes)) {
                    throw new IllegalStateException("no such method in " + name);
                }
                bytes = changed;
                made = true;
            }
            return defineClass(name, bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ---- defects

    /** The method does nothing and answers this: null, a boolean, an empty list or optional. */
    static ClassTransform answers(String method, Object answer) {
        return (builder, element) -> {
            if (!(element instanceof MethodModel found)
                    || !found.methodName().equalsString(method)) {
                builder.with(element);
                return;
            }
            builder.withMethod(
                    found.methodName(),
                    found.methodType(),
                    found.flags().flagsMask(),
                    body ->
                            body.withCode(code -> {
                                switch (answer) {
                                    case Boolean yes -> code.loadConstant(yes ? 1 : 0);
                                    case List<?> _ ->
                                            code.invokestatic(
                                                    of(List.class),
                                                    "of",
                                                    MethodTypeDesc.of(of(List.class)),
                                                    true);
                                    case Optional<?> _ ->
                                            code.invokestatic(
                                                    of(Optional.class),
                                                    "empty",
                                                    MethodTypeDesc.of(of(Optional.class)));
                                    case CompletableFuture<?> _ ->
                                            code.aconst_null()
                                                    .invokestatic(
                                                            of(CompletableFuture.class),
                                                            "completedFuture",
                                                            MethodTypeDesc.of(
                                                                    of(CompletableFuture.class),
                                                                    of(Object.class)));
                                    default -> {}
                                }
                                code.return_(TypeKind.from(found.methodTypeSymbol().returnType()));
                            }));
        };
    }

    /** Within the method, another method of the same form is called. */
    static ClassTransform calls(String method, String instead, String called) {
        return within(
                method,
                (code, element) -> {
                    if (element instanceof InvokeInstruction call
                            && call.name().equalsString(called)) {
                        code.invoke(
                                call.opcode(),
                                call.owner().asSymbol(),
                                instead,
                                call.typeSymbol(),
                                call.isInterface());
                    } else {
                        code.with(element);
                    }
                });
    }

    /** Within the method and its lambdas, a call is left out; if it asks, the answer is no. */
    static ClassTransform leavesOut(String method, String called) {
        return within(
                method,
                (code, element) -> {
                    if (element instanceof InvokeInstruction call
                            && call.name().equalsString(called)) {
                        List<ClassDesc> arguments = call.typeSymbol().parameterList().reversed();
                        arguments.forEach(argument -> pop(code, argument));
                        code.pop(); // the receiver
                        if (TypeKind.from(call.typeSymbol().returnType()) == TypeKind.BOOLEAN) {
                            code.iconst_0();
                        }
                    } else {
                        code.with(element);
                    }
                });
    }

    private static void pop(CodeBuilder code, ClassDesc argument) {
        if (TypeKind.from(argument).slotSize() == 2) {
            code.pop2();
        } else {
            code.pop();
        }
    }

    private interface Step {
        void accept(CodeBuilder code, CodeElement element);
    }

    private static ClassTransform within(String method, Step step) {
        CodeTransform change = step::accept;
        return ClassTransform.transformingMethodBodies(
                found -> isPartOf(found.methodName().stringValue(), method), change);
    }

    private static boolean isPartOf(String name, String method) {
        return name.equals(method) || name.startsWith("lambda$" + method + "$");
    }

    private static ClassDesc of(Class<?> type) {
        return ClassDesc.of(type.getName());
    }
}
