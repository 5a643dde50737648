import type { Container } from "../kube/types.ts";

/** One simple command of a shell script, or the whole command line of a container: its words. */
export type Words = readonly string[];

const shells = /^(?:.*\/)?(?:sh|bash|ash|dash|busybox)$/;
/** Words after which a new simple command begins. */
const keywords = new Set(["do", "then", "else", "elif", "if", "while", "until", "{", "!", "exec", "time"]);

/** A container's command line: `command` and `args` one after the other, as the runtime starts them. */
export function commandLine(container: Container): Words {
  return [...(container.command ?? []), ...(container.args ?? [])];
}

/** The text that a shell gets by `sh -c TEXT`; undefined when the words start no shell in that way. */
export function shellScript(words: Words): string | undefined {
  let index = 0;
  while (shells.test(words[index] ?? "")) index += 1;
  if (index === 0) return undefined;
  for (; words[index]?.startsWith("-") || words[index] === "pipefail"; index += 1) {
    if (/^-[a-z]*c$/.test(words[index] ?? "")) return words[index + 1];
  }
  return undefined;
}

/** The commands that a container runs, as far as they can be read: those of its script, or its one command line. */
export function commandsOf(container: Container): readonly Words[] {
  return commandsOfWords(commandLine(container));
}

/** The same for any command line, a hook's for instance. */
export function commandsOfWords(words: Words): readonly Words[] {
  const script = shellScript(words);
  return script === undefined ? (words.length === 0 ? [] : [words]) : simpleCommands(script);
}

/**
 * A script's simple commands in their order, each as words with the quotes taken off; redirections stay as words
 * (`>`, then the file). Comments are dropped. No expansion: `$x` stays `$x`. Good enough to recognise `tail -f X`;
 * not a shell.
 */
export function simpleCommands(script: string): Words[] {
  const commands: Words[] = [];
  let words: string[] = [];
  const endCommand = () => {
    while (keywords.has(words[0] ?? "")) words.shift();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  const token =
    /(?<space>[ \t]+|\\\r?\n)|(?<comment>#[^\n]*)|(?<redirect>\d?(?:>>|>&|<<<|>\||[<>]))|(?<end>&&|\|\||[;&|\n()`])|(?<word>(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s;&|()<>`"'\\])+|.)/gsu;
  for (const { groups } of script.matchAll(token)) {
    if (groups?.end !== undefined) endCommand();
    else if (groups?.redirect !== undefined) words.push(groups.redirect.replace(/^\d/, ""));
    else if (groups?.word !== undefined) words.push(unquote(groups.word));
  }
  endCommand();
  return commands;
}

/** A command's words without its redirections. */
export function withoutRedirections(words: Words): Words {
  const isRedirection = (word: string | undefined) => /^(?:>>|>&|>\||<<<|[<>])$/.test(word ?? "");
  return words.filter((word, index) => !isRedirection(word) && !isRedirection(words[index - 1]));
}

function unquote(word: string): string {
  return word.replaceAll(
    /\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs,
    (_, escaped: string | undefined, double: string | undefined, single: string | undefined) =>
      escaped ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? single ?? "",
  );
}
