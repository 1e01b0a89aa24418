// Sessions of a terminal in the documents: commands after "$ ", each with the output that follows it.

/** A command, and the lines after it. */
export interface Step {
  readonly command: string
  readonly output: string
}

// A command continues on the next line after a backslash.
const COMMAND = /^(?:[^\n]*\\\n)*[^\n]*/

/** The commands of a session. */
export const stepsOf = (text: string): readonly Step[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = ''] = COMMAND.exec(step) ?? []
      return { command, output: step.slice(command.length + 1) }
    })

/** Whether an output is the one of the page, where `…` is any text. */
export const isAsWritten = (output: string, written: string): boolean =>
  new RegExp(`^${patternOf(written)}$`).test(output.trim())

/** Matches outputs that begin like the one of the page. */
export const beginsAsWritten = (written: string): RegExp => new RegExp(`^\\s*${patternOf(written)}`)

const patternOf = (written: string): string =>
  written
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^]*?')
