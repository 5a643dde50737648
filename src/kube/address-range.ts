/** A run of IPv4 addresses, as 32-bit numbers, both ends included. */
export interface AddressRange {
  readonly first: number;
  readonly last: number;
}
