import { Argument, Command } from 'commander'
import { printable } from '../text.ts'
import { type Act, examples } from './command.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** What may follow a path of commands. */
interface Node {
  /** Names of the commands that lead there, such as `contacts find`. */
  path: string
  words: { word: string; description: string }[]
  takesFile: boolean
  /** Options whose value is one of a few. */
  choices: { option: string; values: readonly string[] }[]
}

/** `rollcall completion SHELL` */
export function completionCommand(act: Act, program: () => Command): Command {
  return new Command('completion')
    .description('print what a shell needs to complete this command')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      examples(
        'source <(rollcall completion bash)',
        'rollcall completion zsh > ~/.zfunc/_rollcall',
        'rollcall completion fish > ~/.config/fish/completions/rollcall.fish',
      ),
    )
    .action((shell: Shell) => act(({ out }) => out.write(completionFor(shell, program()))))
}

/** The script of a shell, made from the commands there are. */
export function completionFor(shell: Shell, program: Command): string {
  const nodes = nodesOf(program)
  return { bash, zsh, fish }[shell](nodes, valued(program))
}

function nodesOf(program: Command): Node[] {
  const shared = program.options
    .filter(({ long }) => long !== '--version')
    .map((option) => ({ word: option.long!, description: option.description }))
  const walk = (command: Command, path: string[]): Node[] => {
    const own =
      command === program ? [] : command.options.map(({ long, description }) => ({ word: long!, description }))
    const below = command.commands.filter((each) => each.name() !== 'help')
    const names = below.map((each) => ({ word: each.name(), description: each.description() }))
    const values = command.registeredArguments.flatMap((argument) => argument.argChoices ?? [])
    const node = {
      path: path.join(' '),
      words: [
        ...names,
        ...values.map((word) => ({ word, description: '' })),
        ...own,
        ...shared,
        { word: '--help', description: 'help' },
      ],
      takesFile: command.registeredArguments.some((argument) => /file/.test(argument.name())),
      choices: command.options.flatMap(({ long, argChoices }) =>
        argChoices ? [{ option: long!, values: argChoices }] : [],
      ),
    }
    return [node, ...below.flatMap((each) => walk(each, [...path, each.name()]))]
  }
  return walk(program, [])
}

/** Options that take a value: the word behind one is no command. */
function valued(command: Command): string[] {
  const own = command.options.filter((option) => option.required).map((option) => option.long!)
  return [...new Set([...own, ...command.commands.flatMap(valued)])]
}

/** Inside single quotes of any of the three shells. */
function quoted(text: string): string {
  return printable(text).replaceAll("'", '’')
}

/** An option with a few values, at the path of its command: `import --format`. */
function choicesOf(nodes: Node[]): [at: string, values: string][] {
  return nodes.flatMap(({ path, choices }) =>
    choices.map(({ option, values }): [string, string] => [`${path} ${option}`, values.join(' ')]),
  )
}

function bash(nodes: Node[], valuedOptions: string[]): string {
  const cases = nodes.map(
    ({ path, words, takesFile }) =>
      `    '${path}') words='${words.map(({ word }) => word).join(' ')}'${takesFile ? '; files=1' : ''} ;;\n`,
  )
  const values = choicesOf(nodes).map(([at, words]) => `    '${at}') words='${words}' ;;\n`)
  return `# bash completion of rollcall
_rollcall() {
  local path='' words='' files='' word option='' next
  local paths='${nodes.map(({ path }) => `|${path}|`).join('')}'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$option" ]; then option=''; continue; fi
    case " ${valuedOptions.join(' ')} " in *" $word "*) option=$word; continue ;; esac
    next="\${path:+$path }$word"
    case "$paths" in *"|$next|"*) path=$next ;; esac
  done
  case "$path\${option:+ $option}" in
${[...cases, ...values].join('')}    *) files=1 ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
  [ -n "$files" ] && COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _rollcall rollcall
`
}

function zsh(nodes: Node[], valuedOptions: string[]): string {
  const cases = nodes.map(({ path, words, takesFile }) => {
    const described = words.map(({ word, description }) => `'${word}:${quoted(description).replaceAll(':', '\\:')}'`)
    return `    '${path}') candidates=(${described.join(' ')})${takesFile ? '; files=1' : ''} ;;\n`
  })
  const values = choicesOf(nodes).map(([at, words]) => `    '${at}') candidates=(${words}) ;;\n`)
  return `#compdef rollcall
_rollcall() {
  local trail='' word option='' next files=''
  local -a candidates
  local paths='${nodes.map(({ path }) => `|${path}|`).join('')}'
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $option ]]; then option=''; continue; fi
    if [[ " ${valuedOptions.join(' ')} " == *" $word "* ]]; then option=$word; continue; fi
    next="\${trail:+$trail }$word"
    [[ $paths == *"|$next|"* ]] && trail=$next
  done
  case "$trail\${option:+ $option}" in
${[...cases, ...values].join('')}    *) files=1 ;;
  esac
  (( $#candidates )) && _describe rollcall candidates
  [[ -n $files ]] && _files
}
if [ "$funcstack[1]" = _rollcall ]; then _rollcall "$@"; else compdef _rollcall rollcall; fi
`
}

function fish(nodes: Node[], valuedOptions: string[]): string {
  const line = (word: string, description: string) => `'${word}\t${quoted(description)}'`
  const cases = nodes.map(({ path, words, takesFile }) => {
    const described = words.map(({ word, description }) => line(word, description))
    return `    case '${path}'\n      printf '%s\\n' ${described.join(' ')}\n${takesFile ? '      set files 1\n' : ''}`
  })
  const values = choicesOf(nodes).map(([at, words]) => `    case '${at}'\n      printf '%s\\n' ${words}\n`)
  return `# fish completion of rollcall
function __rollcall_words
  set -l trail ''
  set -l option ''
  set -l files 0
  for word in (commandline -opc)[2..]
    if test -n "$option"
      set option ''
      continue
    end
    if contains -- $word ${valuedOptions.join(' ')}
      set option $word
      continue
    end
    set -l next (string trim -- "$trail $word")
    contains -- $next ${nodes.map(({ path }) => `'${path}'`).join(' ')}; and set trail $next
  end
  switch (string trim -- "$trail $option")
${[...cases, ...values].join('')}    case '*'
      set files 1
  end
  test $files = 1; and __fish_complete_path (commandline -ct)
end
complete -c rollcall -e
complete -c rollcall -f -a '(__rollcall_words)'
`
}
