// The command line of `countersign kubeconfig` as its tests write it.

import type { TemporaryFolder } from '../../servers/temporary.ts'
import { run } from '../login/running.ts'
import type { Result } from '../run.ts'

/** The API server of the kubeconfig. */
export const SERVER = 'https://kube.example.org'

/** Words that belong together, on one line. */
export const words = (...all: readonly string[]): readonly string[] => all

/** Runs the command in a folder, for {@link SERVER}. */
export const write = async (
  folder: TemporaryFolder,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Result> =>
  await run(['kubeconfig', '--server', SERVER, ...args], { state: folder.path, environment })
