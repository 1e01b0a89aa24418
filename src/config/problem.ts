// A problem of a configuration, in one format for all checks.

import { CountersignError } from '../runtime/errors.ts'

/** One thing that is wrong with a configuration, and where. */
export interface Problem {
  /** The file, as an absolute path. */
  readonly file: string
  /** 1-based line and column, where the place is known. */
  readonly position?: { readonly line: number; readonly column: number }
  /** The path inside the document, such as `routes[0].authorize[1].paths[0]`; empty for the whole. */
  readonly path: string
  /** What is wrong and what would be right. */
  readonly message: string
}

/** `file:line:column: path: message`, the form that editors and terminals make clickable. */
export const formatProblem = ({ file, position, path, message }: Problem): string => {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`
}

/** A warning in the same form: `file:line:column: warning: path: message`, as compilers write it. */
export const formatWarning = (problem: Problem): string => {
  const { path, message } = problem
  return formatProblem({ ...problem, path: '', message: `warning: ${path}: ${message}` })
}

/** A configuration that cannot be used; carries every problem found, not just the first. */
export class ConfigurationError extends CountersignError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('configuration-invalid', problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}
