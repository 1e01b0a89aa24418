// The configured state, opened before anything that uses it is built. It is opened once: a change
// of `state` takes effect after a restart.

import { ConfigurationFiles } from '../config/files.ts'
import type { Config } from '../configuration/schema.ts'
import { readConfig } from '../configuration/parse.ts'
import { ProblemList } from '../config/problem-list.ts'
import { openState } from '../state/open.ts'
import type { OpenedState, OpeningParts } from '../state/opened-state.ts'
import { readStateSettings } from '../state/settings.ts'
import { readTracing, type TracingSettings } from './tracing.ts'

/** The state, and what else is opened before the parts of a configuration are built. */
export interface ConfiguredState extends OpenedState {
  readonly audit: Config['audit']
  readonly tracing: TracingSettings | undefined
}

/**
 * Opens the state that a configuration file names.
 *
 * @throws ConfigurationError with every problem of the file itself, or of its state
 */
export const openConfiguredState = async (
  file: string,
  parts: OpeningParts,
): Promise<ConfiguredState> => {
  const files = new ConfigurationFiles()
  const { config, locate } = await readConfig(file, files)
  const problems = new ProblemList(locate)
  const settings = await readStateSettings(config.state, files, problems)
  const tracing = await readTracing(config, files, problems)
  const opened = settings && (await problems.collect(['state'], () => openState(settings, parts)))
  if (problems.error !== undefined) throw problems.error
  if (opened === undefined) throw new Error('no state, and no problem') // collected above
  const { state, store } = opened
  return {
    state,
    store,
    audit: config.audit,
    tracing,
    [Symbol.asyncDispose]: async () => await opened[Symbol.asyncDispose](),
  }
}
