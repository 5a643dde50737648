import { parseQuantity, quantityValue } from "../../kube/quantity.ts";
import { usageError } from "../parse-arguments.ts";

const maxSize = 1 << 24;

/** Bytes of each of the sizes, written as Kubernetes quantities (`64,1Ki`). Throws `Usage`. */
export function parseSizes(text: string): number[] {
  return text.split(",").map((word) => {
    const quantity = parseQuantity(word.trim());
    const size = quantity === undefined ? Number.NaN : Number(quantityValue(quantity));
    if (Number.isNaN(size) || size < 1 || size > maxSize) {
      throw usageError(
        `--sizes: "${word}" is no message size: want bytes from 1 to 16Mi, such as 64, 1Ki or 1Mi`,
      );
    }
    return size;
  });
}

/** A size as people write it. */
export function byteSize(bytes: number): string {
  if (bytes >= 1 << 20 && bytes % (1 << 20) === 0) return `${bytes >> 20} MiB`;
  if (bytes >= 1 << 10 && bytes % (1 << 10) === 0) return `${bytes >> 10} KiB`;
  return `${bytes} B`;
}
