#!/bin/sh
# A stand-in for training that takes a third of a second and needs only sh and awk:
#
#     quick.sh --learning_rate 0.1 --momentum 0.9 --layers 3
#
# Its "loss" falls over three steps towards a floor that depends on the parameters. The best
# floor, 0.1, is at learning_rate 0.03, momentum 0.9 and 4 layers; a valley runs through it, as in
# real training, where learning_rate / (1 - momentum) is the same. The last step's loss is 0.022
# above the floor. Metrics go out as `@tuner` lines, which need no pattern in the job file.
set -eu

learning_rate='' momentum='' layers=''
while [ $# -gt 0 ]; do
	case $1 in
	--learning_rate) learning_rate=$2 ;;
	--momentum) momentum=$2 ;;
	--layers) layers=$2 ;;
	*)
		echo "quick.sh: unknown option $1" >&2
		exit 2
		;;
	esac
	shift 2
done
: "${learning_rate:?--learning_rate is missing}" "${momentum:?--momentum is missing}"
: "${layers:?--layers is missing}"

for step in 1 2 3; do
	sleep 0.1
	awk -v lr="$learning_rate" -v m="$momentum" -v layers="$layers" -v step="$step" 'BEGIN {
		along = log(lr / 0.03)
		across = log(lr / (1 - m) / 0.3)
		floor = 0.1 + 0.01 * along ^ 2 + 0.05 * across ^ 2 + 0.03 * (layers - 4) ^ 2
		printf "@tuner {\"step\": %d, \"loss\": %.6f}\n", step, floor + 2 * exp(-1.5 * step)
	}'
done
