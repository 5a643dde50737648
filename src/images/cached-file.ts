import { readFileSync, statSync } from "node:fs";
import { isGone } from "../host/files.ts";

/** A JSON file that is parsed again only when it was replaced: inode, size or time of change differ. */
export class CachedFile<T> {
  readonly #path: string;
  readonly #parse: (json: unknown) => T;
  #stamp = "";
  #value: T | undefined;

  constructor(path: string, parse: (json: unknown) => T) {
    this.#path = path;
    this.#parse = parse;
  }

  /** The parsed content as of now; undefined when there is no such file. Throws SyntaxError when it is no JSON. */
  read(): T | undefined {
    try {
      const { ino, size, mtimeNs } = statSync(this.#path, { bigint: true });
      const stamp = `${ino} ${size} ${mtimeNs}`;
      if (stamp !== this.#stamp) {
        this.#value = this.#parse(JSON.parse(readFileSync(this.#path, "utf8")));
        this.#stamp = stamp;
      }
      return this.#value;
    } catch (error) {
      this.#stamp = "";
      this.#value = undefined;
      if (isGone(error)) return undefined;
      throw error;
    }
  }
}
