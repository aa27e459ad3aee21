# Rubin's rules by pool.scalar of mice 3.15.0 under R 4.2.2; the estimates are made up.
# Writes pooling.json beside this script. Run: Rscript tests/reference/imputation/pooling.R
suppressMessages({library(mice); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
full <- function(x) sprintf("%.17g", x)

cases <- list(
  list(q = c(12.1, 15.4, 9.8, 13.3, 11.6), u = c(20.1, 18.7, 22.4, 19.9, 21.3), df = 16),
  list(q = c(-0.31, -0.28, -0.55, -0.12), u = c(0.0123, 0.0131, 0.0119, 0.0127), df = Inf),
  list(q = c(101.2, 140.9, 77.3, 120.4, 98.8, 133.3, 88.1, 110.7), u = c(50, 61, 48, 55, 52, 49, 57, 60), df = 9),
  list(q = c(2, 3), u = c(1, 1.5), df = 37.5)
)
pooled <- lapply(cases, function(case) {
  found <- pool.scalar(case$q, case$u, n = case$df, k = 0)
  list(estimates = full(case$q), variances = full(case$u), df_complete = full(case$df),
       estimate = full(found$qbar), within = full(found$ubar), between = full(found$b), total = full(found$t),
       df = full(found$df), relative_increase = full(found$r), missing_information = full(found$fmi),
       p_value = full(2 * pt(-abs(found$qbar) / sqrt(found$t), found$df)))
})
out <- list(made_with = list(R = R.version.string, mice = as.character(packageVersion("mice"))), cases = pooled)
write_json(out, file.path(here, "pooling.json"), auto_unbox = TRUE, pretty = TRUE)
