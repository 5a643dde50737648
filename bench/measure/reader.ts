import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/*
 * Opens, reads and closes small files. `reader.ts FOLDER FILES` makes that many, then reads from standard input, line
 * by line, how many milliseconds to go on, and answers with how many times it did so in each.
 */

const [folder = ".", files = "1"] = process.argv.slice(2);
const paths = Array.from({ length: Number(files) }, (_, index) => join(folder, `file-${index}`));
for (const path of paths) writeFileSync(path, Buffer.alloc(100, 7));
const buffer = Buffer.alloc(100);
const line = Buffer.alloc(64);
for (let count = readSync(0, line); count > 0; count = readSync(0, line)) {
  const end = performance.now() + Number(line.toString("utf8", 0, count));
  let times = 0;
  for (; performance.now() < end; times += 1) {
    const fd = openSync(paths[times % paths.length] ?? "", "r");
    readSync(fd, buffer);
    closeSync(fd);
  }
  writeSync(1, `${times}\n`);
}
