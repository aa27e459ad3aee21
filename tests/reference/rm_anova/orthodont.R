# Repeated-measures analysis of variance, type III: afex 1.2-1 (on car 3.1-1) under R 4.2.2.
# Data: Potthoff and Roy (1964), Biometrika 51:313-326 (nlme's Orthodont; 16 boys, 11 girls); two within factors in
# unequal groups, drawn below.
# Writes orthodont.json beside this script. Run: Rscript tests/reference/rm_anova/orthodont.R
suppressMessages({library(afex); library(nlme); library(jsonlite)})
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE)))

# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
one <- function(fit) {
  s <- suppressWarnings(summary(fit))
  table <- as.data.frame(unclass(s$univariate.tests))
  list(
    univariate = cbind(effect = rownames(table), table),
    sphericity = cbind(effect = rownames(s$sphericity.tests), as.data.frame(unclass(s$sphericity.tests))),
    adjustments = cbind(effect = rownames(s$pval.adjustments), as.data.frame(unclass(s$pval.adjustments))),
    ges = cbind(effect = rownames(anova(fit, es = c("ges", "pes"))), as.data.frame(anova(fit, es = c("ges", "pes"))))
  )
}
orthodont <- as.data.frame(Orthodont)
orthodont$Subject <- as.character(orthodont$Subject)
orthodont$age <- factor(orthodont$age)
# Two within factors, invented numbers; unequal groups.
set.seed(20)
two <- expand.grid(hour = c("h1", "h2", "h3"), day = c("d1", "d2"), id = sprintf("P%02d", 1:11))
two$arm <- ifelse(as.integer(substr(two$id, 2, 3)) <= 4, "A", "B")
two$sex <- ifelse(as.integer(substr(two$id, 2, 3)) %% 2 == 0, "F", "M")
two$y <- round(rnorm(nrow(two), 10) + 2 * rnorm(11)[as.integer(factor(two$id))] + (two$hour == "h3"), 3)
out <- list(
  made_with = list(R = R.version.string, afex = as.character(packageVersion("afex")), car = as.character(packageVersion("car"))),
  orthodont = list(
    data = orthodont[, c("Subject", "Sex", "age", "distance")],
    fit = one(aov_ez("Subject", "distance", orthodont, within = "age", between = "Sex"))
  ),
  one_group = list(fit = one(aov_ez("Subject", "distance", orthodont, within = "age"))),
  two_factors = list(
    data = two,
    fit = one(aov_ez("id", "y", two, within = c("hour", "day"), between = c("arm", "sex")))
  )
)
write_json(full(out), file.path(here, "orthodont.json"), auto_unbox = TRUE, dataframe = "rows")
