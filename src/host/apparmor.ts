import { readFileIfExists } from "./files.ts";

/** Whether this machine's kernel confines processes by AppArmor profiles (apparmor(7)). */
export function isAppArmorEnabled(parameter = "/sys/module/apparmor/parameters/enabled"): boolean {
  return readFileIfExists(parameter)?.trim() === "Y";
}
