/**
 * Forms of names in Kubernetes, each with the API server's own words for what is wrong. Every function returns
 * the list of problems, empty for a good name.
 * Rules: https://pkg.go.dev/k8s.io/apimachinery/pkg/util/validation
 */

/** A form that a whole text must have, and how the API server explains it. */
interface Form {
  readonly pattern: string;
  readonly message: string;
  readonly examples: readonly string[];
}

const label: Form = {
  pattern: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
};

const subdomain: Form = {
  pattern: String.raw`[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*`,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
};

const qualifiedNamePart: Form = {
  pattern: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
  message:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyName", "my.name", "123-abc"],
};

const labelValue: Form = {
  pattern: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
};

const environmentVariable: Form = {
  pattern: "[ -<>-~]+",
  message: "a valid environment variable name must consist only of printable ASCII characters other than '='",
  examples: [],
};

const configKey: Form = {
  pattern: "[-._a-zA-Z0-9]+",
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
};

const serviceLabel: Form = {
  pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
};

/** Patterns are compiled when first needed: most commands need none. */
const compiled = new Map<Form, RegExp>();

const labelLength = 63;
const subdomainLength = 253;
const portNameLength = 15;

/** Names of containers, volumes and namespaces. */
export function labelNameProblems(name: string): string[] {
  return [...lengthProblems(name, labelLength), ...formProblems(name, label)];
}

/** Names of Services, which become host names by themselves. */
export function serviceNameProblems(name: string): string[] {
  return [...lengthProblems(name, labelLength), ...formProblems(name, serviceLabel)];
}

/** Keys of ConfigMaps and Secrets, which become file names. */
export function configKeyProblems(key: string): string[] {
  const problems = [...lengthProblems(key, subdomainLength), ...formProblems(key, configKey)];
  if (key === "." || key === "..") problems.push(`must not be '${key}'`);
  else if (key.startsWith("..")) problems.push("must not start with '..'");
  return problems;
}

/** Names of RBAC objects: any step of a URL. */
export function pathSegmentProblems(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"]
    .filter((character) => name.includes(character))
    .map((found) => `may not contain '${found}'`);
}

/** Names of most objects: pods, nodes, events. */
export function subdomainProblems(name: string): string[] {
  return [...lengthProblems(name, subdomainLength), ...formProblems(name, subdomain)];
}

/** Keys of labels and annotations, names of resources and finalizers: `prefix/name` or `name`. */
export function qualifiedNameProblems(name: string): string[] {
  const parts = name.split("/");
  const problems: string[] = [];
  if (parts.length > 2) {
    const explanation = formMessage({
      ...qualifiedNamePart,
      message: `a qualified name ${qualifiedNamePart.message}`,
    });
    return [`${explanation} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const [prefix, last = ""] = parts.length === 2 ? parts : [undefined, parts[0]];
  if (prefix !== undefined) {
    const prefixProblems = prefix === "" ? ["must be non-empty"] : subdomainProblems(prefix);
    problems.push(...prefixProblems.map((problem) => `prefix part ${problem}`));
  }
  const nameProblems = [
    ...(last === "" ? ["must be non-empty"] : lengthProblems(last, labelLength)),
    ...formProblems(last, qualifiedNamePart),
  ];
  return [...problems, ...nameProblems.map((problem) => `name part ${problem}`)];
}

/** Values of labels; empty is allowed. */
export function labelValueProblems(value: string): string[] {
  return [...lengthProblems(value, labelLength), ...formProblems(value, labelValue)];
}

/** Names of environment variables: since Kubernetes 1.34 all printable ASCII but `=`. */
export function environmentVariableProblems(name: string): string[] {
  return name === "" ? ["must be non-empty"] : formProblems(name, environmentVariable);
}

/** Names of ports (RFC 6335, as IANA keeps them). */
export function portNameProblems(name: string): string[] {
  const problems = lengthProblems(name, portNameLength);
  if (!/^[-a-z0-9]+$/.test(name)) {
    problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(name)) problems.push("must contain at least one letter (a-z)");
  if (name.includes("--")) problems.push("must not contain consecutive hyphens");
  if (name.startsWith("-") || name.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}

function tooLongMessage(maximum: number): string {
  return `must be no more than ${maximum} bytes`;
}

function lengthProblems(text: string, maximum: number): string[] {
  return Buffer.byteLength(text) > maximum ? [tooLongMessage(maximum)] : [];
}

function formProblems(text: string, form: Form): string[] {
  let regex = compiled.get(form);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${form.pattern})$`);
    compiled.set(form, regex);
  }
  return regex.test(text) ? [] : [formMessage(form)];
}

function formMessage(form: Form): string {
  const regex = `regex used for validation is '${form.pattern}'`;
  if (form.examples.length === 0) return `${form.message} (${regex})`;
  const examples = form.examples.map((example) => `'${example}', `).join(" or ");
  return `${form.message} (e.g. ${examples}${regex})`;
}
