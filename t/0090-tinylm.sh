#!/bin/sh
# The template tinylm: it trains, it is judged by numbers that training cannot make up, and a campaign makes it better.
. "${0%/*}/lib/tap.sh"

tinylm() {	# the template in the present directory, with a fiftieth of its training
	cp -R "$TOP/templates/tinylm/." .
	rm -rf out build
	sed -i 's/^#define COMPUTE .*/#define COMPUTE 2.5e8/' train.c
}

u32() {	# <number>...: each as 4 bytes, in this machine's order
	perl -e 'print pack "L*", @ARGV' "$@"
}

model() {	# <context> <embed> <width> <activation> <floats>: a model of zeroes
	printf 'TINYLM1\n'
	u32 "$1" "$2" "$3" "$4"
	head -c $(($5 * 4)) /dev/zero
}

test_case 'training twice gives the same model, and the numbers are plain' '
	tinylm
	make -s train 2>log
	cp out/model.bin first
	make -s evaluate >numbers
	make -s train 2>>log
	cmp first out/model.bin
	make -s evaluate >again
	same numbers again
	test "$(wc -l <numbers)" = 2
	grep -Ex "METRIC bpb=[0-9]+\.[0-9]+" numbers
	grep -Ex "METRIC model_kb=[0-9]+\.[0-9]+" numbers
	not grep -i warning log
'

test_case 'a model that knows nothing costs log2(96) bits a byte' '
	tinylm
	mkdir out
	model 2 3 4 0 796 >out/model.bin
	make -s evaluate >numbers
	grep -x "METRIC bpb=6.584963" numbers
	grep -x "METRIC model_kb=3.1" numbers
'

test_case 'the evaluator refuses what is no model' '
	tinylm
	mkdir out
	refused() {
		not make -s evaluate >numbers 2>why
		test ! -s numbers
		grep "$1" why
	}
	refused "cannot open"
	: >out/model.bin
	refused "not a model"
	model 2 3 4 0 795 >out/model.bin
	refused "too short"
	model 2 3 4 0 797 >out/model.bin
	refused "too long"
	model 2 3 4 2 796 >out/model.bin
	refused "out of range"
	model 0 3 4 0 772 >out/model.bin
	refused "out of range"
	model 2 3 4294967295 0 796 >out/model.bin
	refused "out of range"
	model 2 3 4 0 796 | sed s/TINYLM1/TINYLM2/ >out/model.bin
	refused "not a model"
	{ model 2 3 4 0 795 && u32 2143289344; } >out/model.bin
	refused "no number"
	{ model 2 3 4 0 795 && u32 2139095040; } >out/model.bin
	refused "no number"
	mkdir out/d
	mv out/model.bin out/d
	mkdir out/model.bin
	refused "not a model"
'

test_case 'each knob of the policy is there once, and other values of it still compile' '
	tinylm
	sed -i "s/^#define COMPUTE .*/#define COMPUTE 1e6/" train.c
	set --
	for kv in CONTEXT=1 CONTEXT=10 EMBED=4 EMBED=32 WIDTH=16 WIDTH=160 BATCH=8 BATCH=64 SCHEDULE=LINEAR SCHEDULE=COSINE \
		ACTIVATION=RELU OPTIMIZER=ADAM MOMENTUM=0.0 MOMENTUM=0.95 LEARNING_RATE=0.001 LEARNING_RATE=0.5; do
		test "$(grep -c "^#define ${kv%=*} " train.c)" = 1
		cp train.c keep
		sed -i "s/^#define ${kv%=*} .*/#define ${kv%=*} ${kv#*=}/" train.c
		make -s train evaluate >numbers 2>log
		not grep -i warning log
		grep "^METRIC bpb=" numbers
		mv keep train.c
	done
'

test_case 'a campaign gains, and every decision of it can be derived again' '
	git init -q .
	git harness init --template=tinylm
	sed -i "s/^#define COMPUTE .*/#define COMPUTE 2.5e8/" train.c
	git add -A
	git commit -qm start
	git harness check
	git harness start -n 6 --exit-code
	git harness verify
	git log --format=%B harness/best >story
	grep "^Harness-Verdict: accept (better)" story
	grep "^Harness-Agent: tune" story
	git diff --name-only HEAD harness/best >changed
	echo train.c >only
	same only changed
	git fsck --strict
'
test_done
