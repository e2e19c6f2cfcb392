/* tuner/init.h: new job files, from nothing, a command line or a SageMaker request. */
#include "tuner/init.h"
#include "tuner/init_range.h"

#include "base/random.h"
#include "tuner/jobfile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct made {
	struct text file, notes;
	struct job_file *parsed;
};

/* Reads a made file back: but for a command that is not there it must be a good one. */
static void read_back(struct made *made)
{
	struct diagnostics *list = calloc(1, sizeof(*list));
	struct tuner_error err;

	assert_non_null(list);
	assert_true(job_file_parse("made", "/", made->file.bytes, made->file.length, NULL,
		COMMAND_IGNORED, &made->parsed, list, &err));
	if (list->n > 0)
		fail_msg("%s\n%s", list->items[0].message, made->file.bytes);
	free(list);
}

static struct made make(const struct init_request *request)
{
	struct made made = { TEXT_EMPTY, TEXT_EMPTY, NULL };
	struct tuner_error err;

	if (!init_write(request, &made.file, &made.notes, &err))
		fail_msg("%s", err.message);
	read_back(&made);
	return made;
}

static void end(struct made *made)
{
	job_file_destroy(made->parsed);
	text_finish(&made->file);
	text_finish(&made->notes);
}

static struct made from_command(char *const *command)
{
	return make(&(struct init_request){ .name = "mine", .command = command });
}

static struct made from_request(const char *request)
{
	return make(&(struct init_request){ .name = "mine",
		.request = request,
		.request_length = strlen(request),
		.request_name = "request.json" });
}

#define WORDS(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

static void assert_words(char *const *words, const char *expected)
{
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; words[i]; i++)
		text_print(&text, "%s%s", i ? " " : "", words[i]);
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

/* ---- the template ---- */

static void the_template_is_a_good_job_file_once_its_script_is_there(void **state)
{
	struct made made = make(&(struct init_request){ .name = "mine" });

	assert_string_equal(made.parsed->name, "mine");
	assert_int_equal(made.parsed->space.d, 4);
	assert_int_equal(made.parsed->n_first, 1);
	assert_words(made.parsed->command, "python3 train.py");
	assert_string_equal(made.notes.bytes, "");
	end(&made);
}

static void names_of_jobs_come_from_names_of_files(void **state)
{
	static const char *const pairs[][2] = { { "a/b/quick.jsonc", "quick" },
		{ "my job.json", "my-job" }, { ".hidden", "xhidden" }, { "x.txt", "x.txt" },
		{ "-", "x" }, { "", "job" } };

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct text text = TEXT_EMPTY;
		init_job_name(pairs[i][0], &text);
		assert_string_equal(text.bytes, pairs[i][1]);
		text_finish(&text);
	}
}

/* ---- from a command ---- */

static void numbers_of_a_command_become_ranges_and_the_first_configuration(void **state)
{
	struct made made = from_command(WORDS("python3", "train.py", "--lr", "0.01", "--batch-size",
		"128", "--model", "resnet18"));
	const struct job_file *file = made.parsed;

	assert_words(file->command, "python3 train.py --model resnet18");
	assert_int_equal(file->style, ARGUMENTS_SPACE);
	assert_int_equal(file->space.d, 2);
	assert_string_equal(file->space.parameters[0].name, "lr");
	assert_int_equal(file->space.parameters[0].scale, SCALE_LOG);
	assert_true(file->space.parameters[0].min == 0.001 && file->space.parameters[0].max == 0.1);
	assert_string_equal(file->space.parameters[1].name, "batch-size");
	assert_int_equal(file->space.parameters[1].type, PARAMETER_ORDINAL);
	assert_string_equal(file->values[1].text[2], "128");
	assert_true(file->first[0][0] == 0.01 && file->first[0][1] == 2);
	end(&made);
}

static void options_written_alike_are_appended_in_their_own_way(void **state)
{
	struct made made = from_command(WORDS("./train", "--lr=0.1", "--depth=4", "data"));

	assert_words(made.parsed->command, "./train data");
	assert_int_equal(made.parsed->style, ARGUMENTS_EQUALS);
	end(&made);
	made = from_command(WORDS("python3", "-m", "pkg", "optimizer.lr=0.1", "model=resnet"));
	assert_words(made.parsed->command, "python3 -m pkg model=resnet");
	assert_int_equal(made.parsed->style, ARGUMENTS_BARE);
	assert_string_equal(made.parsed->space.parameters[0].name, "optimizer.lr");
	end(&made);
}

static void options_of_mixed_ways_get_placeholders_where_they_stand(void **state)
{
	struct made made =
		from_command(WORDS("python3", "train.py", "-b", "32", "--lr=3e-4", "{x}", "{y}}"));

	assert_words(made.parsed->command, "python3 train.py -b {b} --lr={lr} {{x}} {{y}}}");
	assert_true(made.parsed->first[0][1] == 3e-4);
	end(&made);
}

static void options_of_the_launcher_are_let_alone(void **state)
{
	struct made made = from_command(WORDS(
		"torchrun", "--nproc_per_node", "2", "--rate", "0.5", "train.py", "--lr", "1"));

	assert_words(made.parsed->command, "torchrun --nproc_per_node 2 --rate 0.5 train.py");
	assert_int_equal(made.parsed->space.d, 1);
	end(&made);
}

static void what_is_no_hyperparameter_stays_in_the_command(void **state)
{
	struct made made = from_command(WORDS("t.sh", "--lr", "0.1", "--epochs", "10", "--seed",
		"3", "--num-workers", "4", "--nesterov", "1", "--amp", "--shift", "-3", "--lr",
		"0.2", "--log-interval", "50", "--input", "nan"));

	assert_int_equal(made.parsed->space.d, 1);
	assert_words(made.parsed->command,
		"t.sh --lr 0.1 --epochs 10 --seed 3 --num-workers 4 --nesterov 1 --amp --shift -3 "
		"--log-interval 50 --input nan");
	assert_true(made.parsed->first[0][0] == 0.2); /* the one that counts */
	end(&made);
}

static void several_numbers_behind_an_option_stay_together(void **state)
{
	struct made made = from_command(WORDS("train.py", "--betas", "0.9", "0.999", "--lr", "0.1",
		"data", "--size", "32", "-1"));

	assert_words(made.parsed->command, "train.py --betas 0.9 0.999 data --size 32 -1");
	assert_int_equal(made.parsed->space.d, 1);
	assert_string_equal(made.parsed->space.parameters[0].name, "lr");
	end(&made);
}

static void a_command_without_numbers_gets_the_template(void **state)
{
	struct made made = from_command(WORDS("./run.sh", "--fast"));

	assert_words(made.parsed->command, "./run.sh --fast");
	assert_non_null(strstr(made.notes.bytes, "No number to vary"));
	end(&made);
}

/* ---- ranges ---- */

static void assert_range(const char *name, const char *number, const char *expected)
{
	struct text text = TEXT_EMPTY;
	const bool found = init_range(name, number, &text);

	assert_int_equal(found, expected[0] != '\0');
	assert_string_equal(text.bytes, expected);
	text_finish(&text);
}

static void ranges_follow_the_name_and_then_the_value(void **state)
{
	assert_range("learning_rate", "0.01",
		"{\"type\": \"float\", \"min\": 0.001, \"max\": 0.1, \"scale\": \"log\"}");
	assert_range("learningRate", "1e-3",
		"{\"type\": \"float\", \"min\": 0.0001, \"max\": 0.01, \"scale\": \"log\"}");
	assert_range("wd", "0.0001",
		"{\"type\": \"float\", \"min\": 1e-06, \"max\": 0.01, \"scale\": \"log\"}");
	assert_range("weight-decay", "0", "{\"type\": \"float\", \"min\": 0, \"max\": 0.01}");
	assert_range("momentum", "0.9",
		"{\"type\": \"float\", \"min\": 0, \"max\": 0.99, \"scale\": \"reverse-log\"}");
	assert_range("beta2", "0.999",
		"{\"type\": \"float\", \"min\": 0, \"max\": 0.9999, \"scale\": \"reverse-log\"}");
	assert_range("dropout_rate", "0.1",
		"{\"type\": \"float\", \"min\": 0, \"max\": 0.5, \"scale\": \"linear\"}");
	assert_range("dropout", "0.5",
		"{\"type\": \"float\", \"min\": 0, \"max\": 0.9, \"scale\": \"linear\"}");
	assert_range(
		"hidden", "256", "{\"type\": \"ordinal\", \"values\": [64, 128, 256, 512, 1024]}");
	assert_range("hidden", "100", "{\"type\": \"int\", \"min\": 50, \"max\": 200}");
	assert_range("max_depth", "6", "{\"type\": \"int\", \"min\": 3, \"max\": 12}");
	assert_range("subsample", "0.8",
		"{\"type\": \"float\", \"min\": 0.4, \"max\": 1, \"scale\": \"linear\"}");
	assert_range("colsample_bytree", "1.0",
		"{\"type\": \"float\", \"min\": 0.5, \"max\": 1, \"scale\": \"linear\"}");
	assert_range("layers", "3", "{\"type\": \"int\", \"min\": 1, \"max\": 6}");
	assert_range("margin", "1.5", "{\"type\": \"float\", \"min\": 0.375, \"max\": 6}");
	assert_range("margin", "0.02",
		"{\"type\": \"float\", \"min\": 0.002, \"max\": 0.2, \"scale\": \"log\"}");
	assert_range("margin", "0.0", "{\"type\": \"float\", \"min\": 0, \"max\": 1}");
	for (const char *const *name = (const char *const[]){ "epochs", "seed", "num_workers",
		     "max-steps", "print_freq", "lr_decay_epochs", "port", NULL };
		*name; name++)
		assert_range(*name, "10", "");
	assert_range("layers", "1", "");
	assert_range("x", "-0.5", "");
	assert_range("x", "inf", "");
	assert_range("x", "0x10", "");
	assert_range("x", "1e999", "");
	assert_range("x", "", "");
	assert_range("x", "1.5.2", "");
}

/* Whatever number stands behind whatever name: the file is good, and begins with that number. */
static void every_range_holds_the_number_it_was_made_of(void **state)
{
	static const char *const names[] = { "lr", "wd", "momentum", "dropout", "hidden", "x",
		"eps", "gamma", "temperature", "top_k" };
	struct random random;

	random_init(&random, (struct random_key){ .seed = 3, .number = 1, .purpose = RANDOM_TEST });
	for (int i = 0; i < 2000; i++) {
		const char *name = names[random_below(&random, 10)];
		const double size = exp(-30 + 60 * random_uniform(&random));
		char number[64], option[64];
		snprintf(number, sizeof(number), "%.*g", (int)random_below(&random, 17) + 1, size);
		if (random_below(&random, 2))
			snprintf(number, sizeof(number), "%llu", (unsigned long long)size % 5000);
		snprintf(option, sizeof(option), "--%s", name);
		struct made made = from_command(
			WORDS((char *)"t.sh", option, number, (char *)"--u", (char *)"0.5"));
		const struct job_file *file = made.parsed;
		const size_t k = space_find(&file->space, name);
		if (k < file->space.d) {
			struct text text = TEXT_EMPTY;
			struct argument *arguments = configuration_arguments(file, file->first[0]);
			assert_non_null(arguments);
			assert_true(strtod(arguments[k].text, NULL) == strtod(number, NULL));
			arguments_free(arguments, file->space.d + file->n_fixed);
			text_finish(&text);
		}
		end(&made);
	}
}

/* ---- from SageMaker ---- */

static const char request[] =
	"{\"HyperParameterTuningJobName\": \"cifar10-resnet34\", "
	"\"HyperParameterTuningJobConfig\": {\"Strategy\": \"Bayesian\", "
	"\"HyperParameterTuningJobObjective\": {\"Type\": \"Maximize\", \"MetricName\": "
	"\"validation-accuracy\"}, "
	"\"ResourceLimits\": {\"MaxNumberOfTrainingJobs\": 30, \"MaxParallelTrainingJobs\": 2, "
	"\"MaxRuntimeInSeconds\": 7200}, "
	"\"ParameterRanges\": { "
	"\"ContinuousParameterRanges\": "
	"[{\"Name\":\"learning_rate\",\"MinValue\":\"0.001\",\"MaxValue\":\"0.5\",\"ScalingType\":"
	"\"Logarithmic\"},{\"Name\":\"momentum\",\"MinValue\":\"0.\",\"MaxValue\":\"0.99\"}], "
	"\"IntegerParameterRanges\": "
	"[{\"Name\":\"layers\",\"MinValue\":\"1\",\"MaxValue\":\"8\",\"ScalingType\":\"Auto\"},{"
	"\"Name\":\"one\",\"MinValue\":\"3\",\"MaxValue\":\"3\"}], "
	"\"CategoricalParameterRanges\": [{\"Name\":\"optimizer\",\"Values\":[\"sgd\",\"adam\"]}], "
	"\"AutoParameters\": "
	"[{\"Name\":\"batch-size\",\"ValueHint\":\"128\"},{\"Name\":\"epochs\",\"ValueHint\":\"5\"}"
	"]}, "
	"\"TrainingJobEarlyStoppingType\": \"Auto\", "
	"\"TuningJobCompletionCriteria\": {\"TargetObjectiveMetricValue\": 0.9, "
	"\"BestObjectiveNotImproving\": {\"MaxNumberOfTrainingJobsNotImproving\": 10}, "
	"\"ConvergenceDetected\": {\"CompleteOnConvergence\": \"Enabled\"}}, "
	"\"RandomSeed\": 7}, "
	"\"TrainingJobDefinition\": { "
	"\"StaticHyperParameters\": {\"model\": \"\\\"resnet34\\\"\", \"width\": \"0.10\", "
	"\"batch\": \"1024\", \"sagemaker_program\": \"\\\"cifar10.py\\\"\", \"sagemaker_region\": "
	"\"\\\"eu\\\"\", \"_tuning_objective_metric\": \"x\"}, "
	"\"AlgorithmSpecification\": {\"TrainingImage\": \"123.dkr.ecr/x\", \"TrainingInputMode\": "
	"\"File\", \"MetricDefinitions\": [{\"Name\": \"validation-accuracy\", \"Regex\": "
	"\"validation: accuracy=([0-9\\\\.]+)\"}]}, "
	"\"RoleArn\": \"arn:x\", \"InputDataConfig\": [{\"ChannelName\": \"train\", "
	"\"DataSource\": {\"S3DataSource\": {\"S3DataType\": \"S3Prefix\", \"S3Uri\": "
	"\"s3://b/*/cifar\"}}}, {\"ChannelName\":\"test\"}], "
	"\"OutputDataConfig\": {\"S3OutputPath\": \"s3://b/out\"}, \"ResourceConfig\": "
	"{\"InstanceType\": \"ml.p3.8xlarge\", \"InstanceCount\": 1, \"VolumeSizeInGB\": 50}, "
	"\"StoppingCondition\": {\"MaxRuntimeInSeconds\": 3600, \"MaxWaitTimeInSeconds\": 7200}, "
	"\"RetryStrategy\": {\"MaximumRetryAttempts\": 3}, \"EnableNetworkIsolation\": true, "
	"\"Environment\": {\"NCCL_DEBUG\": \"INFO\"}, \"Surprise\": {\"a\": 1}}, "
	"\"Tags\": [{\"Key\": \"team\", \"Value\": \"vision\"}]} ";

static void a_sagemaker_request_becomes_a_job_file(void **state)
{
	struct made made = from_request(request);
	const struct job_file *file = made.parsed;
	const struct parameter *p = file->space.parameters;

	assert_string_equal(file->name, "cifar10-resnet34");
	assert_string_equal(file->metric, "validation-accuracy");
	assert_true(file->maximize);
	assert_string_equal(file->metrics[0].regex, "validation: accuracy=([0-9\\.]+)");
	assert_int_equal(file->space.d, 5);
	assert_true(p[0].min == 0.001 && p[0].max == 0.5);
	assert_int_equal(p[0].scale, SCALE_LOG);
	assert_int_equal(p[1].scale, SCALE_REVERSE_LOG); /* by "auto" */
	assert_int_equal(p[2].type, PARAMETER_INT);
	assert_string_equal(file->values[3].text[1], "adam");
	assert_int_equal(p[4].type, PARAMETER_ORDINAL);
	assert_int_equal(file->strategy.name, STRATEGY_BAYESIAN);
	assert_int_equal(file->seed, 7);
	assert_int_equal(file->budget.trials, 30);
	assert_int_equal(file->budget.parallel, 2);
	assert_int_equal(file->budget.runtime_us, INT64_C(7200000000));
	assert_true(file->budget.has_target && file->budget.target == 0.9);
	assert_int_equal(file->budget.not_improving, 10);
	assert_true(file->budget.converged);
	assert_true(file->no_network);
	assert_int_equal(file->stopping.rule, STOPPING_MEDIAN);
	assert_int_equal(file->timeout_us, INT64_C(3600000000));
	assert_int_equal(file->retries, 3);
	assert_words(file->command, "python3 cifar10.py");
	assert_string_equal(file->environment[0], "NCCL_DEBUG=INFO");
	end(&made);
}

static void static_hyperparameters_keep_their_spelling(void **state)
{
	struct made made = from_request(request);
	const struct job_file *file = made.parsed;

	assert_int_equal(file->n_fixed, 5); /* "one" and "epochs" of the ranges before them */
	assert_string_equal(file->fixed[0].name, "one");
	assert_string_equal(file->fixed[1].text, "5");
	assert_string_equal(file->fixed[2].json, "\"resnet34\"");
	assert_string_equal(file->fixed[3].json, "\"0.10\"");
	assert_string_equal(file->fixed[4].json, "1024");
	end(&made);
}

static void every_key_without_a_meaning_here_is_listed_once(void **state)
{
	static const char *const listed[] = {
		"TrainingJobDefinition.AlgorithmSpecification.TrainingImage: left out",
		"TrainingJobDefinition.AlgorithmSpecification.TrainingInputMode: left out",
		"TrainingJobDefinition.RoleArn: left out",
		"TrainingJobDefinition.InputDataConfig: left out",
		"TrainingJobDefinition.OutputDataConfig: left out",
		"TrainingJobDefinition.ResourceConfig: left out",
		"TrainingJobDefinition.StoppingCondition.MaxWaitTimeInSeconds: left out",
		"TrainingJobDefinition.StaticHyperParameters.sagemaker_region: left out",
		"TrainingJobDefinition.StaticHyperParameters._tuning_objective_metric: left out",
		"TrainingJobDefinition.Surprise: not known, left out",
	};
	const size_t n = sizeof(listed) / sizeof(*listed);
	struct made made = from_request(request);
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		if (strstr(made.notes.bytes, listed[i]) == NULL)
			fail_msg("\"%s\" is not in:\n%s", listed[i], made.notes.bytes);
	for (const char *c = made.notes.bytes; (c = strchr(c, '\n')) != NULL; c++)
		lines++;
	assert_int_equal(lines, n);
	end(&made);
}

static void hyperband_becomes_successive_halving(void **state)
{
	struct made made = from_request(
		"{\"HyperParameterTuningJobConfig\": {\"Strategy\": \"Hyperband\","
		" \"StrategyConfig\": {\"HyperbandStrategyConfig\": {\"MinResource\": 2,"
		" \"MaxResource\": 64}}, \"HyperParameterTuningJobObjective\": {\"Type\":"
		" \"Minimize\", \"MetricName\": \"loss\"}, \"ParameterRanges\": "
		"{\"ContinuousParameterRanges\": [{\"Name\": \"lr\", \"MinValue\": \"0.1\","
		" \"MaxValue\": \"1\"}]}}}");

	assert_int_equal(made.parsed->stopping.rule, STOPPING_ASHA);
	assert_true(made.parsed->stopping.min_step == 2 && made.parsed->stopping.max_step == 64);
	assert_non_null(strstr(made.notes.bytes, "Hyperband became"));
	end(&made);
}

static void convergence_is_left_out_where_no_model_can_converge(void **state)
{
	struct made made = from_request(
		"{\"HyperParameterTuningJobConfig\": {\"Strategy\": \"Random\","
		" \"TuningJobCompletionCriteria\": {\"ConvergenceDetected\":"
		" {\"CompleteOnConvergence\": \"Enabled\"}},"
		" \"HyperParameterTuningJobObjective\": {\"Type\": \"Minimize\","
		" \"MetricName\": \"loss\"}, \"ParameterRanges\": "
		"{\"ContinuousParameterRanges\": [{\"Name\": \"lr\", \"MinValue\": \"0.1\","
		" \"MaxValue\": \"1\"}]}}}");

	assert_false(made.parsed->budget.converged);
	assert_non_null(strstr(made.notes.bytes, "ConvergenceDetected: left out, the strategy "
						 "Random has no model"));
	end(&made);
}

static void an_objective_without_a_way_is_told_of(void **state)
{
	struct made made = from_request(
		"{\"HyperParameterTuningJobConfig\": {\"HyperParameterTuningJobObjective\":"
		" {\"Type\": \"Max\", \"MetricName\": \"loss\"}, \"ParameterRanges\": "
		"{\"ContinuousParameterRanges\": [{\"Name\": \"lr\", \"MinValue\": \"0.1\","
		" \"MaxValue\": \"1\"}]}}}");

	assert_non_null(strstr(made.notes.bytes, "neither Maximize nor Minimize"));
	end(&made);
}

static void the_config_alone_is_enough(void **state)
{
	struct made made = from_request(
		"{\"Strategy\": \"Random\", \"HyperParameterTuningJobObjective\": {\"Type\":"
		" \"Maximize\", \"MetricName\": \"acc\"}, \"ParameterRanges\": "
		"{\"CategoricalParameterRanges\": [{\"Name\": \"o\", \"Values\": [\"a\", "
		"\"b\"]}]}}");

	assert_int_equal(made.parsed->strategy.name, STRATEGY_RANDOM);
	end(&made);
}

static void refuse(const char *text, const char *message)
{
	struct made made = { TEXT_EMPTY, TEXT_EMPTY, NULL };
	struct tuner_error err;

	assert_false(init_write(&(struct init_request){ .name = "mine",
					.request = text,
					.request_length = strlen(text),
					.request_name = "r.json" },
		&made.file, &made.notes, &err));
	assert_int_equal(err.code, TUNER_USAGE);
	if (strstr(err.message, message) == NULL)
		fail_msg("%s", err.message);
	end(&made);
}

static void earlier_tuning_jobs_keep_their_names(void **state)
{
	struct made made = from_request(
		"{\"HyperParameterTuningJobConfig\": {\"HyperParameterTuningJobObjective\": "
		"{\"Type\": \"Maximize\", \"MetricName\": \"acc\"}, \"ParameterRanges\": "
		"{\"ContinuousParameterRanges\": [{\"Name\": \"lr\", \"MinValue\": \"0.001\", "
		"\"MaxValue\": \"0.1\"}]}}, \"WarmStartConfig\": {\"WarmStartType\": "
		"\"TransferLearning\", \"ParentHyperParameterTuningJobs\": "
		"[{\"HyperParameterTuningJobName\": \"monday\"}, {\"HyperParameterTuningJobName\": "
		"\"tuesday\"}]}}");
	const struct job_warm_start *warm_start = &made.parsed->warm_start;

	assert_int_equal(warm_start->n, 2);
	assert_int_equal(warm_start->as, WARM_RELATED);
	assert_string_equal(warm_start->parents[1].job, "tuesday");
	assert_null(warm_start->parents[1].db);
	assert_non_null(
		strstr(made.notes.bytes, "WarmStartConfig: the earlier jobs are looked for"));
	end(&made);
}

static void what_is_no_request_is_refused(void **state)
{
	refuse("{", "r.json:1:2: expected a key");
	refuse("[]", "r.json: expected a CreateHyperParameterTuningJob request");
	refuse("{\"a\": 1}", "r.json: expected a CreateHyperParameterTuningJob request");
	refuse("{\"TrainingJobDefinition\": {}}", "r.json: the request has no parameter ranges");
	refuse("{\"TrainingJobDefinitions\": [{}, {}]}", "has 2 definitions");
	refuse("{\"HyperParameterTuningJobConfig\": 5}", "the request has no parameter ranges");
}

/* Values that a job file refuses come out all the same, with what is wrong in the notes. */
static void faults_of_the_request_are_in_the_notes(void **state)
{
	static const char text[] =
		"{\"ParameterRanges\": {\"ContinuousParameterRanges\": [{\"Name\": \"x\","
		" \"MinValue\": \"zero\", \"MaxValue\": \"1\"}]}, \"RandomSeed\": -1}";
	struct made made = { TEXT_EMPTY, TEXT_EMPTY, NULL };
	struct tuner_error err;

	assert_true(init_write(&(struct init_request){ .name = "mine",
				       .request = text,
				       .request_length = strlen(text),
				       .request_name = "r.json" },
		&made.file, &made.notes, &err));
	assert_non_null(strstr(
		made.notes.bytes, "error: parameters.x.min: expected a number, found \"zero\""));
	assert_non_null(strstr(made.notes.bytes, "error: seed: expected a whole number"));
	end(&made);
}

/* Members of the wrong type are never followed. */
static void requests_of_wrong_types_do_no_harm(void **state)
{
	static const char *const values[] = { "null", "5", "\"x\"", "[]", "[1]", "[{}]", "{}",
		"{\"a\": [null]}" };
	const size_t n = sizeof(values) / sizeof(*values);
	struct tuner_error err;

	for (size_t i = 0; i < n * n * n; i++) {
		struct text text = TEXT_EMPTY;
		struct made made = { TEXT_EMPTY, TEXT_EMPTY, NULL };
		const char *a = values[i % n], *b = values[i / n % n], *c = values[i / n / n];
		text_print(&text,
			"{\"HyperParameterTuningJobName\": %s, \"Tags\": %s,"
			" \"HyperParameterTuningJobConfig\": {\"ParameterRanges\": "
			"{\"IntegerParameterRanges\": %s, \"CategoricalParameterRanges\": "
			"[{\"Name\": %s, \"Values\": %s}]}, \"Strategy\": %s, \"ResourceLimits\": "
			"%s},"
			" \"TrainingJobDefinition\": {\"StaticHyperParameters\": %s, "
			"\"InputDataConfig\": %s, \"Environment\": %s, \"AlgorithmSpecification\": "
			"{\"MetricDefinitions\": %s}}}",
			a, b, c, a, b, c, a, b, c, a, b);
		assert_true(init_write(&(struct init_request){ .name = "mine",
					       .request = text.bytes,
					       .request_length = text.length,
					       .request_name = "r.json" },
			&made.file, &made.notes, &err));
		text_finish(&text);
		end(&made);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_template_is_a_good_job_file_once_its_script_is_there),
		cmocka_unit_test(names_of_jobs_come_from_names_of_files),
		cmocka_unit_test(numbers_of_a_command_become_ranges_and_the_first_configuration),
		cmocka_unit_test(options_written_alike_are_appended_in_their_own_way),
		cmocka_unit_test(options_of_mixed_ways_get_placeholders_where_they_stand),
		cmocka_unit_test(options_of_the_launcher_are_let_alone),
		cmocka_unit_test(what_is_no_hyperparameter_stays_in_the_command),
		cmocka_unit_test(several_numbers_behind_an_option_stay_together),
		cmocka_unit_test(a_command_without_numbers_gets_the_template),
		cmocka_unit_test(ranges_follow_the_name_and_then_the_value),
		cmocka_unit_test(every_range_holds_the_number_it_was_made_of),
		cmocka_unit_test(a_sagemaker_request_becomes_a_job_file),
		cmocka_unit_test(static_hyperparameters_keep_their_spelling),
		cmocka_unit_test(every_key_without_a_meaning_here_is_listed_once),
		cmocka_unit_test(hyperband_becomes_successive_halving),
		cmocka_unit_test(convergence_is_left_out_where_no_model_can_converge),
		cmocka_unit_test(an_objective_without_a_way_is_told_of),
		cmocka_unit_test(the_config_alone_is_enough),
		cmocka_unit_test(earlier_tuning_jobs_keep_their_names),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(faults_of_the_request_are_in_the_notes),
		cmocka_unit_test(requests_of_wrong_types_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
