#!/bin/sh
# Keeps one dev world: starts it, stops it, removes its folder. Usage: keeper.sh FOLDER COMMAND...
#
# Both packages run their world under this script. Standard input is a pipe from the process that asked for the world.
# That process writes a line to stop the world. If it ends without doing so (by SIGKILL too), the pipe closes. In both cases
# the world gets SIGTERM, and its folder is removed. So a killed test run leaves neither a process nor a folder.
#
# If the world ends by itself, its exit status is written to FOLDER/ended. The folder stays until the pipe closes, so that
# the caller can read the log.
folder=$1
shift

exec 3<&0
"$@" </dev/null >"$folder/log" 2>&1 3<&- &
world=$!

# `read` belongs to the shell: there is no child process that could outlive it.
(
  read -r line <&3
  [ -e "$folder/ended" ] || kill -TERM "$world" 2>/dev/null
) &
pipe=$!

wait "$world"
status=$?
echo "$status" >"$folder/ended.new" && mv "$folder/ended.new" "$folder/ended"

wait "$pipe"
rm -rf -- "$folder"
exit "$status"
