/** The port that a text of digits says; undefined when it is no port's number (1 to 65535). */
export function portNumber(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port >= 1 && port <= 65_535 ? port : undefined;
}
