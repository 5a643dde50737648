/**
 * How many times as long tests wait as on a machine of our own: PEAPOD_TEST_SLOWER, 1 where it is not set. A processor
 * that is emulated (tools/cgroup-v2-machine) needs ten times the time for everything, and is not wrong for that.
 */
export const slower = Number(process.env.PEAPOD_TEST_SLOWER ?? 1);
