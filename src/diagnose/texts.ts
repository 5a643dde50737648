import { type ContainerView, pathIn } from "./pod-view.ts";

/** A text that a container is given, and the field that has it. */
export interface ContainerText {
  readonly field: string;
  readonly text: string;
  /** Name of the environment variable, if it is one's value. */
  readonly variable?: string;
}

/** All that a container is told in its manifest: words of its command line and values of its environment. */
export function textsOf(view: ContainerView): ContainerText[] {
  const { command, args, env } = view.container;
  return [
    ...(command ?? []).map((text, index) => ({ field: pathIn(view, "command", index), text })),
    ...(args ?? []).map((text, index) => ({ field: pathIn(view, "args", index), text })),
    ...(env ?? []).flatMap(({ name, value }, index) =>
      value ? [{ field: `${pathIn(view, "env", index)}.value`, text: value, variable: name }] : [],
    ),
  ];
}

/** The first text for which `pattern` matches, with the match. */
export function findText(
  view: ContainerView,
  pattern: RegExp,
): (ContainerText & { readonly match: RegExpExecArray }) | undefined {
  for (const text of textsOf(view)) {
    const match = pattern.exec(text.text);
    if (match !== null) return { ...text, match };
  }
  return undefined;
}
