# Two-sample tests, intervals of proportions, quartiles: R 4.2.2 (stats).
# Data: Student (1908), Biometrika 6:1-25, ten patients; and Hollander, Wolfe and Chicken (2014), table 4.1.
# Writes two_sample.json beside this script. Run: Rscript tests/reference/two_sample/two_sample.R
suppressMessages(library(jsonlite))
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
one <- c(0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
two <- c(1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)
term <- c(0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
early <- c(1.15, 0.88, 0.90, 0.74, 1.21)
big_x <- qnorm((1:60) / 61)
big_y <- round(qexp((1:55) / 56), 1)
t_of <- function(test) list(statistic = unname(test$statistic), df = unname(test$parameter), p = test$p.value,
                            low = test$conf.int[1], high = test$conf.int[2], se = test$stderr)
exact <- wilcox.test(term, early, conf.int = TRUE)
# Every division of the pooled values, for what wilcox.test does not do with ties and what R itself has no test for.
tied_x <- c(1, 2, 2, 5, 7, 7.5); tied_y <- c(2, 3, 5, 6, 7, 9, 9)
divisions <- function(x, y) combn(length(x) + length(y), length(x))
far <- function(found, here) mean(abs(found) >= abs(here) - 1e-9)
rank_p <- function(x, y) {
  r <- rank(c(x, y)); n <- length(x)
  sums <- apply(divisions(x, y), 2, function(who) sum(r[who])) - n * (length(r) + 1) / 2
  far(sums, sum(r[seq_len(n)]) - n * (length(r) + 1) / 2)
}
means <- function(x, y) { all <- c(x, y); apply(divisions(x, y), 2, function(who) mean(all[who]) - mean(all[-who])) }
permutation_p <- function(x, y) far(means(x, y), mean(x) - mean(y))
# The shifts that no side rejects at half the error: the ends by halving, each test over all divisions.
permutation_limit <- function(x, y, level, side) {
  rejects <- function(d) {
    found <- means(x - d, y); here <- mean(x - d) - mean(y)
    mean(if (side < 0) found >= here - 1e-9 else found <= here + 1e-9) <= (1 - level) / 2 + 1e-9
  }
  near <- mean(x) - mean(y); away <- near + side * 10 * diff(range(c(x, y)))
  for (i in 1:60) { middle <- (near + away) / 2; if (rejects(middle)) away <- middle else near <- middle }
  near
}
levels <- c(0.8, 0.9, 0.99)
rank_levels <- lapply(levels, function(level) {
  test <- wilcox.test(big_x[seq(1, 60, 5)], big_x[c(3, 14, 22, 25, 37, 41, 44, 58, 59)] + 0.4, conf.int = TRUE, conf.level = level)
  list(level = level, p = test$p.value, low = test$conf.int[1], high = test$conf.int[2], estimate = unname(test$estimate)) })
approximate <- wilcox.test(big_x, big_y, exact = FALSE)
out <- list(
  made_with = list(R = R.version.string),
  student = t_of(t.test(two, one, var.equal = TRUE)),
  welch = t_of(t.test(two, one)),
  welch_90 = t_of(t.test(term, early, conf.level = 0.9)),
  wilcoxon = list(statistic = unname(exact$statistic), p = exact$p.value, low = exact$conf.int[1],
                  high = exact$conf.int[2], estimate = unname(exact$estimate)),
  wilcoxon_normal = list(statistic = unname(approximate$statistic), p = approximate$p.value, x = big_x, y = big_y),
  wilcoxon_levels = rank_levels,
  every_division = list(x = tied_x, y = tied_y, wilcoxon = rank_p(tied_x, tied_y), permutation = permutation_p(tied_x, tied_y),
    limits = lapply(levels[1:2], function(level) list(level = level, low = permutation_limit(tied_x, tied_y, level, -1),
      high = permutation_limit(tied_x, tied_y, level, 1)))),
  mean = t_of(t.test(one)),
  clopper_pearson = lapply(list(c(0, 10), c(2, 10), c(10, 10), c(7, 23)), function(k)
    list(x = k[1], n = k[2], low = binom.test(k[1], k[2])$conf.int[1], high = binom.test(k[1], k[2])$conf.int[2])),
  wilson = lapply(list(c(0, 10), c(2, 10), c(7, 23)), function(k) {
    test <- prop.test(k[1], k[2], correct = FALSE)
    list(x = k[1], n = k[2], low = test$conf.int[1], high = test$conf.int[2]) }),
  quartiles = quantile(one, c(0, 0.25, 0.5, 0.75, 1), type = 7, names = FALSE)
)
write_json(full(out), file.path(here, "two_sample.json"), auto_unbox = TRUE)
