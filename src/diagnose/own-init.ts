import { repositoryOf } from "./image.ts";
import { type ContainerView, pathIn } from "./pod-view.ts";
import { commandLine } from "./shell.ts";

/** Images that are built around an init system which refuses to be anything but PID 1. */
const initImages =
  /^(?:(?:lscr\.io|ghcr\.io)\/)?linuxserver\/|^jrei\/systemd-|^geerlingguy\/docker-[\w-]+-ansible$|^kindest\/node$/;

/** Programs that refuse to be anything but PID 1. */
const initPrograms = /^(?:\/usr)?(?:\/s?bin\/init|\/lib\/systemd\/systemd)$/;

/** What shows that a container brings its own init system, and the field that shows it. */
export function ownInit(view: ContainerView): { field: string; what: string } | undefined {
  const program = commandLine(view.container)[0];
  if (program !== undefined && initPrograms.test(program)) {
    const field = (view.container.command ?? []).length > 0 ? "command" : "args";
    return { field: pathIn(view, field, 0), what: program };
  }
  const image = view.container.image ?? "";
  if ((view.container.command ?? []).length > 0 || !initImages.test(repositoryOf(image))) return undefined;
  return { field: pathIn(view, "image"), what: `the init system of ${image}` };
}
