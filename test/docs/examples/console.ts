// Sessions of a terminal in the documents: commands after "$ ", each with the output that follows it.

/** A command, and the lines after it. */
export interface Step {
  readonly command: string
  readonly output: string
}

/** The commands of a session. */
export const stepsOf = (text: string): readonly Step[] =>
  text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const [command = '', ...output] = step.split('\n')
      return { command, output: output.join('\n') }
    })

/** Whether an output is the one of the page, where `…` is any text. */
export const isAsWritten = (output: string, written: string): boolean => {
  const parts = written
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`).test(output.trim())
}
