/** How a node daemon exits that has found another one serving its run folder: EX_TEMPFAIL of sysexits.h. */
export const yieldedExitCode = 75;
