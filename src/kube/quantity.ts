/**
 * Amounts of resources (`resource.Quantity`): decimal numbers with SI, binary or exponent suffixes, kept
 * exactly as integers of nano units.
 * Rules: https://pkg.go.dev/k8s.io/apimachinery/pkg/api/resource#Quantity
 */

/** How a quantity was written, and so how it is printed. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  /** The amount times 10⁹; exact. Smaller parts are rounded up, away from zero, as Kubernetes does. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const roughForm = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

const nanoScale = 9;
const binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/** Kubernetes caps amounts at 2⁶³-1 whole units. */
const maximumNano = (2n ** 63n - 1n) * 10n ** 9n;
const syntax = /^([+-]?)(\d+\.?\d*|\.\d+)(?:(Ki|Mi|Gi|Ti|Pi|Ei)|([eE])([+-]?\d+)|([numkMGTPE]))?$/;

/** Reads a quantity as YAML and JSON have it, a string or a number; undefined when it is none. */
export function parseQuantity(value: string | number): Quantity | undefined {
  const match = syntax.exec(typeof value === "number" ? numberText(value) : value);
  if (match === null) return undefined;
  const [, sign, digits = "", binary, exponentMark, exponent, decimal] = match;
  const [whole = "", fraction = ""] = digits.split(".");
  let numerator = BigInt(whole + fraction);
  let scale = nanoScale - fraction.length;
  let format: QuantityFormat = "DecimalSI";
  if (binary !== undefined) {
    numerator *= 1024n ** BigInt(binarySuffixes.indexOf(binary));
    format = "BinarySI";
  } else if (exponentMark !== undefined) {
    const power = Number(exponent);
    // Kubernetes reads the exponent as an int32 and caps what it means; so far out only the cap matters.
    if (Math.abs(power) > 2 ** 31 - 1) return undefined;
    scale += Math.max(-1000, Math.min(1000, power));
    format = "DecimalExponent";
  } else if (decimal !== undefined) {
    scale += (decimalSuffixes.indexOf(decimal) - decimalSuffixes.indexOf("")) * 3;
  }
  let nano =
    scale >= 0 ? numerator * 10n ** BigInt(scale) : divideRoundingUp(numerator, 10n ** BigInt(-scale));
  if (nano > maximumNano) nano = maximumNano;
  return { nano: sign === "-" ? -nano : nano, format };
}

/** What Kubernetes answers to text that {@link parseQuantity} refuses. */
export function quantityProblem(text: string): string {
  const match = new RegExp(roughForm).exec(text);
  if (match === null) return `quantities must match the regular expression '${roughForm}'`;
  return syntax.test(match[1] ?? "")
    ? "unable to parse quantity's suffix"
    : "unable to parse numeric part of quantity";
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** Whole units, rounded up: bytes of memory, for instance. */
export function quantityValue(quantity: Quantity): bigint {
  return scaledValue(quantity, 10n ** 9n);
}

/** Thousandths, rounded up: milli-CPUs, for instance. */
export function quantityMilliValue(quantity: Quantity): bigint {
  return scaledValue(quantity, 10n ** 6n);
}

/**
 * The canonical form: no precision lost, no fraction, the largest suffix possible
 * (`0.5` → `500m`, `1024Mi` → `1Gi`, `1500Mi` stays). Amounts under 1024 in binary form print as decimal.
 */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return "0";
  const magnitude = nano < 0n ? -nano : nano;
  const text =
    quantity.format === "BinarySI" && magnitude % 10n ** 9n === 0n && magnitude >= 1024n * 10n ** 9n
      ? formatBinary(magnitude / 10n ** 9n)
      : formatDecimal(magnitude, quantity.format);
  return nano < 0n ? `-${text}` : text;
}

function formatBinary(units: bigint): string {
  let amount = units;
  let power = 0;
  while (amount % 1024n === 0n && power < binarySuffixes.length - 1) {
    amount /= 1024n;
    power++;
  }
  return `${amount}${binarySuffixes[power]}`;
}

function formatDecimal(nano: bigint, format: QuantityFormat): string {
  let amount = nano;
  let thousands = 0;
  while (amount % 1000n === 0n && thousands < decimalSuffixes.length - 1) {
    amount /= 1000n;
    thousands++;
  }
  if (format !== "DecimalExponent") return `${amount}${decimalSuffixes[thousands]}`;
  const exponent = thousands * 3 - nanoScale;
  return exponent === 0 ? `${amount}` : `${amount}e${exponent}`;
}

function scaledValue(quantity: Quantity, divisor: bigint): bigint {
  return quantity.nano < 0n ? quantity.nano / divisor : divideRoundingUp(quantity.nano, divisor);
}

function divideRoundingUp(numerator: bigint, divisor: bigint): bigint {
  return (numerator + divisor - 1n) / divisor;
}

/** A number without JavaScript's exponent form where a plain one exists. */
function numberText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(value).toString() : String(value);
}
