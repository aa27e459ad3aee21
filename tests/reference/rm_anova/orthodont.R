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
# What car's print method shows, unrounded: its multivariate tests are those of stats:::Pillai and stats:::Wilks.
multivariate <- function(fit) {
  tests <- summary(fit$Anova, multivariate = TRUE)$multivariate.tests
  rows <- lapply(names(tests), function(name) {
    test <- tests[[name]]
    roots <- Re(eigen(qr.coef(qr(test$SSPE), test$SSPH), symmetric = FALSE)$values)
    both <- lapply(list(Pillai = stats:::Pillai, Wilks = stats:::Wilks), function(f) f(roots, test$df, test$df.residual))
    lapply(both, function(x) list(effect = name, statistic = x[1], f = x[2], df_num = x[3], df_den = x[4],
                                  p = pf(x[2], x[3], x[4], lower.tail = FALSE)))
  })
  unlist(rows, recursive = FALSE)
}
one <- function(fit) {
  s <- suppressWarnings(summary(fit))
  table <- as.data.frame(unclass(s$univariate.tests))
  list(
    univariate = cbind(effect = rownames(table), table),
    sphericity = cbind(effect = rownames(s$sphericity.tests), as.data.frame(unclass(s$sphericity.tests))),
    adjustments = cbind(effect = rownames(s$pval.adjustments), as.data.frame(unclass(s$pval.adjustments))),
    pillai = unname(multivariate(fit)[names(multivariate(fit)) == "Pillai"]),
    wilks = unname(multivariate(fit)[names(multivariate(fit)) == "Wilks"]),
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
# Three arms, invented numbers: an effect between participants with two columns.
three <- expand.grid(visit = c("v1", "v2", "v3", "v4"), id = sprintf("Q%02d", 1:15))
three$arm <- c("A", "A", "A", "A", "B", "B", "B", "B", "B", "C", "C", "C", "C", "C", "C")[as.integer(factor(three$id))]
three$y <- round(rnorm(nrow(three), 5) + rnorm(15)[as.integer(factor(three$id))] + (three$arm == "C") * as.integer(three$visit), 3)
out <- list(
  made_with = list(R = R.version.string, afex = as.character(packageVersion("afex")), car = as.character(packageVersion("car"))),
  orthodont = list(
    data = orthodont[, c("Subject", "Sex", "age", "distance")],
    fit = one(aov_ez("Subject", "distance", orthodont, within = "age", between = "Sex"))
  ),
  one_group = list(fit = one(aov_ez("Subject", "distance", orthodont, within = "age"))),
  three_arms = list(data = three, fit = one(aov_ez("id", "y", three, within = "visit", between = "arm"))),
  two_factors = list(
    data = two,
    fit = one(aov_ez("id", "y", two, within = c("hour", "day"), between = c("arm", "sex")))
  )
)
write_json(full(out), file.path(here, "orthodont.json"), auto_unbox = TRUE, dataframe = "rows")
