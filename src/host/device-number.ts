/** makedev(3): a device as stat(2) numbers it. */
export function deviceNumber(major: number, minor: number): number {
  return ((major & 0xfff) << 8) | (minor & 0xff) | ((minor & ~0xff) << 12);
}

/** The same of a device as the kernel itself has it in 32 bits: 12 bits of major above 20 of minor. */
export function fromKernelDevice(device: number): number {
  return deviceNumber(device >>> 20, device & 0xfffff);
}
