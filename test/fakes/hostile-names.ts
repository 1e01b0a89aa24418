// User names that mean something in a filter (RFC 4515) or a distinguished name (RFC 4514).

/** Each must be a value, and nothing else. */
export const HOSTILE_NAMES: readonly string[] = [
  '*',
  ')(uid=*',
  '\\2a',
  'a\u0000b',
  '\u0000',
  'admin)(|(uid=*',
  ',dc=example',
  '+cn=x',
  ' ',
  '  ',
  ' a ',
  '#x',
  '"x"',
  '<a>;b=c',
  '\\',
  '\\ ',
  'a\\',
  'jürgen',
  '😀',
  '\r\n',
  '\u007f\u0085',
  '{user}',
  '{dn}',
  '$&$1',
]
