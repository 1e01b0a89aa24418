// What CEL, its extensions and cel-go have and expressions do not: each is refused when the configuration is
// read. A test compiles the examples, and compares the list with the conformance tests of CEL.

/** A part of CEL that is refused. */
export interface Unsupported {
  readonly meaning: string
  readonly example: string
  /** What to write instead, where there is something. */
  readonly instead?: string
  /** Matches the messages of its refusals. */
  readonly refusal: RegExp
}

/** All parts that are refused. */
export const UNSUPPORTED: readonly Unsupported[] = [
  {
    meaning: 'The extension `math`.',
    example: 'math.greatest(1, 2)',
    refusal: /^Unknown variable: math$/,
  },
  {
    meaning: 'The extension `sets`.',
    example: 'sets.contains(["a"], ["a"])',
    instead: '`["a"].all(x, x in ["a"])`',
    refusal: /^Unknown variable: sets$/,
  },
  {
    meaning:
      'Of the extension `lists`: `lists.range`, `sort`, `sortBy`, `slice`, `distinct`, `flatten`, `reverse`.',
    example: '["b", "a"].sort()',
    refusal:
      /^(?:Unknown variable: lists|found no matching overload for '(?:list|dyn)[^']*\.\w+\(.*)$/,
  },
  {
    meaning: 'Of the extension `strings`: `format` and `strings.quote`.',
    example: '"%s".format(["a"])',
    instead: '`"a" + "b"`',
    refusal: /^(?:Unknown variable: strings|found no matching overload for 'string\.format\(.*)$/,
  },
  {
    meaning: 'The namespace `base64`.',
    example: 'base64.encode(b"a")',
    instead: '`b"a".base64()`',
    refusal: /^Unknown variable: base64$/,
  },
  {
    meaning: 'The extension `network`: `ip`, `cidr`, `isIP`.',
    example: 'ip("192.0.2.1").family() == 4',
    instead: '`sources` of the rule',
    refusal:
      /^(?:Unknown variable: (?:ip|cidr)|found no matching overload for '(?:ip|cidr|isIP|isCIDR)\(.*)$/,
  },
  {
    meaning: '`cel.block`, `cel.index` and `cel.iterVar`, which compilers write.',
    example: 'cel.block([1], cel.index(0))',
    instead: '`cel.bind`',
    refusal: /CelNamespace|invalid predicate iteration variable$/,
  },
  {
    meaning: 'Macros with two variables, and names that are not a variable.',
    example: '[1, 2].all(i, v, i < v)',
    refusal: /^Unknown variable: (?:[a-z]|dyn)$/,
  },
  {
    meaning:
      'Optional entries of lists and maps, and the functions `ofNonZeroValue`, `optMap`, `optFlatMap`, `unwrap`.',
    example: '[?claims.?a]',
    refusal:
      /^(?:Unexpected token: QUESTION|found no matching overload for '(?:OptionalNamespace|optional)[.<(].*)$/,
  },
  {
    meaning: 'Comparison of optional values, and their type.',
    example: 'optional.of(1) == optional.of(1)',
    instead: '`.orValue(…)` on both sides',
    refusal: /^(?:no such overload: optional<.*|found no matching overload for 'type\(optional.*)$/,
  },
  {
    meaning: 'Lists and maps whose members have different types.',
    example: '[1, "a"]',
    instead: '`[dyn(1), dyn("a")]`',
    refusal: /(?:must have the same type|uses wrong type), expected type '/,
  },
  {
    meaning:
      'Comparison of values whose different types are known when the configuration is read, as `1.0` and `1`; order of bytes.',
    example: '1.0 == 1',
    instead: '`dyn(1.0) == 1`',
    refusal:
      /^(?:no such overload: |Operator overload |Logical operator requires bool operands, got ')/,
  },
  {
    meaning:
      'A function with values of other types, as conversions of times to texts and integers, and unknown functions.',
    example: 'int(timestamp("2026-11-28T00:00:00Z"))',
    refusal:
      /^found no matching overload for '(?:int|string|duration|timestamp|f_unknown|(?:int|string)\.(?:charAt|indexOf|lastIndexOf|replace|split|substring|trim|lowerAscii|upperAscii))\(/,
  },
  {
    meaning: 'Fields of a value that has none; members of a literal that has none.',
    example: '{}.a.b',
    refusal: /^(?:Cannot index type '|Expression of type '|has\(\) invalid argument)/,
  },
  {
    meaning: 'Quoted field names.',
    example: 'claims.`a-b`',
    instead: '`claims["a-b"]`',
    refusal: /^Unexpected character: `$/,
  },
  {
    meaning: 'Raw bytes (`bR`), and bytes with characters outside of ASCII.',
    example: 'b"ÿ"',
    instead: '`bytes("ÿ")`',
    refusal: /^(?:Unexpected character: ['"]+|bytes must be written in ASCII, with escapes)$/,
  },
  {
    meaning:
      'Keys of a map that occur twice, are null or are floating-point numbers: an error in CEL, too.',
    example: '{"a": 1, "a": 2}',
    refusal:
      /^(?:the key .* occurs twice in one map|a key of a map is a text, an integer or a bool)$/,
  },
  {
    meaning: 'Numbers that begin with a point.',
    example: '.5 < 1.0',
    instead: '`0.5`',
    refusal: /^Unexpected token: DOT$/,
  },
  {
    meaning: 'A choice between values of different types, or by what is not a `bool`.',
    example: 'true ? 1 : "a"',
    refusal: /^Ternary /,
  },
  {
    meaning: 'Expressions of more than 1,000 nodes or 32 levels.',
    example: '((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))',
    refusal: /^Exceeded max/,
  },
]
