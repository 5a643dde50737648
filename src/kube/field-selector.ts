import { PeapodError } from "../base/errors.ts";

/**
 * Compiles a field selector as `kubectl get --field-selector` and the API's `fieldSelector` take it:
 * `status.phase=Running,metadata.name!=a`; `\,`, `\=` and `\\` are escapes in values
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/). `supported` names the
 * fields that the resource can be selected by, each with how to read it (the empty string where it is absent).
 * The empty selector matches everything.
 *
 * @throws PeapodError BadRequest with the API server's message.
 */
export function parseFieldSelector<T>(
  text: string,
  supported: Readonly<Record<string, (object: T) => string>>,
): (object: T) => boolean {
  const terms = splitTerms(text).filter((term) => term !== "");
  const requirements = terms.map((term) => {
    const match = /^([^=!]*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) {
      throw new PeapodError("BadRequest", `invalid selector: '${text}'; can't understand '${term}'`);
    }
    const [, field = "", operator, escaped = ""] = match;
    const value = unescapeValue(escaped);
    const read = Object.hasOwn(supported, field) ? supported[field] : undefined;
    if (read === undefined) throw new PeapodError("BadRequest", `field label not supported: ${field}`);
    return (object: T) => (read(object) === value) === (operator !== "!=");
  });
  return (object) => requirements.every((matches) => matches(object));
}

/** Cuts at commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  return text.match(/(?:\\.|[^\\,])*(?:\\$)?/gs)?.filter((term) => term !== "") ?? [];
}

function unescapeValue(escaped: string): string {
  return escaped.replaceAll(/\\(.?)|[,=]/gs, (found, character: string | undefined) => {
    if (character === undefined) {
      throw new PeapodError("BadRequest", `invalid field selector: unescaped character in value: ${found}`);
    }
    if (!["\\", ",", "="].includes(character)) {
      throw new PeapodError(
        "BadRequest",
        `invalid field selector: contains invalid escape sequence: ${found}`,
      );
    }
    return character;
  });
}
