// The program of the image's health check, compiled from deploy/image/health-probe.c: the same bytes for the same compiler.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './root.ts'

/** Its path in the image. */
export const HEALTH_PROBE = '/usr/lib/countersign/health-probe'

const OPTIONS = ['-std=c11', '-D_DEFAULT_SOURCE', '-O2', '-Wall', '-Wextra', '-Werror', '-s']

/** Compiles it in a folder for intermediate files. */
export const healthProbe = async (work: string): Promise<Buffer> => {
  const file = join(work, 'health-probe')
  const source = join(ROOT, 'deploy/image/health-probe.c')
  execFileSync('cc', [...OPTIONS, '-Wl,--build-id=none', '-o', file, source])
  return await readFile(file)
}
