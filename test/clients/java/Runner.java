import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Lists the tests beside this file, or runs them: a line of JSON each, for jdbc.test.ts.
 *
 * <pre>
 * java -cp postgresql.jar Runner.java list
 * java -cp postgresql.jar Runner.java run
 * </pre>
 *
 * A class whose name ends with Test has them: its public methods. Where its constructor takes a {@code Mode}, they
 * run once in each.
 */
class Runner {
  private static final PrintStream LINES = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  /** A method, and what makes the object that has it. */
  private record Test(String id, String group, String name, Method method, Maker maker) {}

  private interface Maker {
    Object make() throws ReflectiveOperationException;
  }

  public static void main(String[] arguments) throws Exception {
    Path classes = Files.createTempDirectory("pgcascade-jdbc-");
    try {
      compile(Path.of("").toAbsolutePath(), classes);
      try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
        for (Test test : testsIn(classes, loader)) {
          if (arguments[0].equals("list")) say("id", test.id, "group", test.group, "name", test.name);
          else run(test);
        }
      }
    } finally {
      try (Stream<Path> files = Files.walk(classes)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
      }
    }
  }

  private static void compile(Path sources, Path classes) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8);
        Stream<Path> found = Files.list(sources)) {
      List<Path> paths =
          found.filter(path -> path.toString().endsWith(".java") && !path.endsWith("Runner.java")).toList();
      List<String> options =
          List.of("-d", classes.toString(), "-classpath", System.getProperty("java.class.path"), "-proc:none");
      if (!compiler.getTask(null, files, null, options, null, files.getJavaFileObjectsFromPaths(paths)).call())
        throw new IllegalStateException("the tests do not compile");
    }
  }

  private static List<Test> testsIn(Path classes, ClassLoader loader) throws IOException, ReflectiveOperationException {
    List<Test> tests = new ArrayList<>();
    try (Stream<Path> files = Files.list(classes)) {
      List<String> names =
          files
              .map(path -> path.getFileName().toString())
              .filter(name -> name.endsWith("Test.class"))
              .sorted()
              .toList();
      for (String name : names) {
        Class<?> type = loader.loadClass(name.replace(".class", ""));
        Constructor<?> constructor = type.getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        String group = words(type.getSimpleName().replaceFirst("Test$", ""));
        group = group.substring(0, 1).toUpperCase(Locale.ROOT) + group.substring(1);
        if (constructor.getParameterCount() == 0) {
          add(tests, type, group, constructor::newInstance);
        } else {
          for (Object mode : constructor.getParameterTypes()[0].getEnumConstants())
            add(tests, type, group + ", " + words(mode.toString()), () -> constructor.newInstance(mode));
        }
      }
    }
    return tests;
  }

  private static void add(List<Test> tests, Class<?> type, String group, Maker maker) {
    Method[] methods = type.getDeclaredMethods();
    Arrays.sort(methods, Comparator.comparing(Method::getName));
    for (Method method : methods) {
      if (!Modifier.isPublic(method.getModifiers())) continue;
      method.setAccessible(true);
      String name = words(method.getName());
      tests.add(new Test(group + ": " + name, group, name, method, maker));
    }
  }

  private static void run(Test test) throws ReflectiveOperationException {
    try {
      test.method.invoke(test.maker.make());
      say("id", test.id, "outcome", "passed", "detail", "");
    } catch (InvocationTargetException error) {
      say("id", test.id, "outcome", "failed", "detail", told(error.getCause()));
    }
  }

  /** An error, and the way to it through files of this folder: those of the driver and of Java hide it. */
  private static String told(Throwable error) {
    StringBuilder told = new StringBuilder();
    for (Throwable each = error; each != null; each = each.getCause()) {
      told.append(each).append('\n');
      for (StackTraceElement frame : each.getStackTrace())
        if (!frame.getClassName().contains(".") && !frame.getClassName().equals("Runner"))
          told.append("    at ").append(frame).append('\n');
    }
    return told.toString();
  }

  /** {@code deletesByUUID} and {@code PREPARED_AT_ONCE} as words. */
  private static String words(String name) {
    boolean constant = name.equals(name.toUpperCase(Locale.ROOT));
    String spaced =
        constant
            ? name.toLowerCase(Locale.ROOT).replace('_', ' ')
            : name.replaceAll("(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ");
    return Arrays.stream(spaced.split(" "))
        .map(word -> word.matches("[A-Z]{2,}") ? word : word.toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(" "));
  }

  private static void say(String... pairs) {
    Map<String, String> line = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) line.put(pairs[i], pairs[i + 1]);
    LINES.println(
        line.entrySet().stream()
            .map(entry -> quoted(entry.getKey()) + ":" + quoted(entry.getValue()))
            .collect(Collectors.joining(",", "{", "}")));
  }

  /** A string as JSON writes it: what is not plain ASCII as the number of its unit. */
  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char each : text.toCharArray()) {
      if (each >= ' ' && each <= '~' && each != '"' && each != '\\') quoted.append(each);
      else quoted.append(String.format("\\u%04x", (int) each));
    }
    return quoted.append('"').toString();
  }
}
