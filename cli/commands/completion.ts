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

function bash(nodes: Node[], valuedOptions: string[]): string {
  const cases = nodes.map(
    ({ path, words, takesFile }) =>
      `    '${path}') words='${words.map(({ word }) => word).join(' ')}'${takesFile ? '; files=1' : ''} ;;\n`,
  )
  return `# bash completion of rollcall
_rollcall() {
  local path='' words='' files='' word skip='' next
  local paths='${nodes.map(({ path }) => `|${path}|`).join('')}'
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case " ${valuedOptions.join(' ')} " in *" $word "*) skip=1; continue ;; esac
    next="\${path:+$path }$word"
    case "$paths" in *"|$next|"*) path=$next ;; esac
  done
  [ -n "$skip" ] && { COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")); return; }
  case "$path" in
${cases.join('')}  esac
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
  return `#compdef rollcall
_rollcall() {
  local trail='' word skip='' next files=''
  local -a candidates
  local paths='${nodes.map(({ path }) => `|${path}|`).join('')}'
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ " ${valuedOptions.join(' ')} " == *" $word "* ]]; then skip=1; continue; fi
    next="\${trail:+$trail }$word"
    [[ $paths == *"|$next|"* ]] && trail=$next
  done
  if [[ -n $skip ]]; then _files; return; fi
  case $trail in
${cases.join('')}  esac
  _describe rollcall candidates
  [[ -n $files ]] && _files
}
if [ "$funcstack[1]" = _rollcall ]; then _rollcall "$@"; else compdef _rollcall rollcall; fi
`
}

function fish(nodes: Node[]): string {
  const lines = nodes.flatMap(({ path, words, takesFile }) => {
    const names = path === '' ? [] : path.split(' ')
    const below = nodes
      .filter((node) => node.path !== path && node.path.startsWith(path === '' ? '' : `${path} `))
      .map((node) => node.path.split(' ')[names.length]!)
    const not = [...new Set(below)]
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`)
    const condition =
      [...seen, ...(not.length > 0 ? [`not __fish_seen_subcommand_from ${not.join(' ')}`] : [])].join('; and ') ||
      'true'
    return words.map(({ word, description }) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`
      return `complete -c rollcall ${takesFile ? '' : '-f '}-n '${condition}' ${what} -d '${quoted(description)}'\n`
    })
  })
  return `# fish completion of rollcall\n${lines.join('')}`
}
