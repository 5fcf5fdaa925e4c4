// Files under a content-addressed name: written beside it first, then renamed, so that a name never stands for less than
// its content. Files of the same content are one file.

import { randomUUID } from 'node:crypto';
import { access, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Runs `write` with a temporary path in `folder`; it returns the name of what it wrote. Returns the final path
 * (name and `extension`). Throws what the file system throws.
 */
export async function keepFile(
  folder: string,
  extension: string,
  write: (temporary: string) => Promise<string>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomUUID()}.tmp`);
  try {
    const path = join(folder, `${await write(temporary)}${extension}`);
    if (await exists(path)) return path;
    await rename(temporary, path);
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
    return path;
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
