import { formatQuantity, parseQuantity, quantityMilliValue, quantityValue } from "../../kube/quantity.ts";

/** Amounts by a quota's resource name: thousandths of a CPU, whole units of anything else. */
export type QuotaAmounts = ReadonlyMap<string, bigint>;

/** A quantity as an amount of this resource; 0 for what is no quantity. */
export function quotaAmount(name: string, value: string | number): bigint {
  const quantity = parseQuantity(value);
  if (quantity === undefined) return 0n;
  return isCPU(name) ? quantityMilliValue(quantity) : quantityValue(quantity);
}

/** An amount as Kubernetes writes it. */
export function amountText(name: string, amount: bigint): string {
  if (isCPU(name)) return formatQuantity({ nano: amount * 10n ** 6n, format: "DecimalSI" });
  const isBytes = /(?:memory|storage|hugepages-.+)$/.test(name) && amount % 1024n === 0n;
  return formatQuantity({ nano: amount * 10n ** 9n, format: isBytes ? "BinarySI" : "DecimalSI" });
}

/** `cpu=1,memory=1Gi`, by name. */
export function amountsText(amounts: QuotaAmounts): string {
  return [...amounts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, amount]) => `${name}=${amountText(name, amount)}`)
    .join(",");
}

function isCPU(name: string): boolean {
  return name === "cpu" || name === "requests.cpu" || name === "limits.cpu";
}
