// Texts of callers are kept to a length.

/** The text, or its first `longest` UTF-16 units as well-formed Unicode, and a mark where there were more. */
export const cutText = (text: string, longest: number): string =>
  text.length > longest ? `${text.slice(0, longest).toWellFormed()}…` : text
