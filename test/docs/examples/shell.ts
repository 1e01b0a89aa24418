// The commands of a shell example: its words, without what redirects or joins them. It reads the shell of the documents,
// which is simple on purpose; what it does not know is a problem, not a guess.

/** A command and its words. */
export type Words = readonly string[]

const HERE_DOCUMENT = /<<-?\s*(['"]?)(\w+)\1/

/** The commands of a text in their order, those within `$(…)` after the one around them. */
export const commandsIn = (text: string): readonly Words[] =>
  withoutHereDocuments(text.replaceAll(/\\\n\s*/g, ' '))
    .split('\n')
    .flatMap(commandsOfLine)

const withoutHereDocuments = (text: string): string => {
  const lines: string[] = []
  let end: string | undefined
  for (const line of text.split('\n')) {
    if (end !== undefined) {
      if (line.trim() === end) end = undefined
      continue
    }
    end = HERE_DOCUMENT.exec(line)?.[2]
    lines.push(line.replace(HERE_DOCUMENT, ''))
  }
  return lines.join('\n')
}

// A word: quoted and unquoted parts, or an operator, or a comment.
const TOKEN = /#.*$|\$\(|&&|\|\||>>|[|;&<>()]|(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s|;&<>()'"\\])+/gy

const commandsOfLine = (line: string): readonly Words[] => {
  const commands: string[][] = [[]]
  let redirected = false
  let at = 0
  while (at < line.length) {
    if (/\s/.test(line[at] ?? '')) {
      at += 1
      continue
    }
    TOKEN.lastIndex = at
    const token = TOKEN.exec(line)?.[0]
    if (token === undefined) throw new Error(`cannot be read as shell: ${line}`)
    at += token.length
    if (token.startsWith('#')) break
    if (/^([|;&()]|&&|\|\||\$\()$/.test(token)) commands.push([])
    else if (/^[<>]+$/.test(token)) redirected = true
    else if (redirected) redirected = false
    else commands.at(-1)?.push(unquoted(token))
  }
  return commands.map(withoutAssignments).filter((words) => words.length > 0)
}

const unquoted = (token: string): string =>
  token.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, single, double, escaped) =>
    String(single ?? double ?? escaped),
  )

/** `NAME=value command` sets a variable for the command. */
const withoutAssignments = (words: Words): Words =>
  /^[A-Za-z_]+=/.test(words[0] ?? '') ? withoutAssignments(words.slice(1)) : words
