# The analyses of a plan, done in R on a long table: means, t tests, Wilcoxon, ANCOVA, repeated-measures ANOVA, GEE.
# R 4.2.2 (stats), car for repeated measures, sandwich for HC2 and HC3, geepack for a robust standard error on complete
# data. GEE with its corrections is written out below, one participant at a time, from Liang and Zeger (1986),
# Mancl and DeRouen (2001) and Kauermann and Carroll (2001); phi over N - p, alpha over pairs - p.
# Run: Rscript plan.R counts.csv > counts.json. Columns: participant, arm (NK or ART), month (0 is baseline), count.
suppressMessages({library(car); library(sandwich); library(geepack); library(jsonlite)})
# Every number as text with 17 significant digits; jsonlite itself stops at 15.
full <- function(x) {
  if (is.list(x)) { x[] <- lapply(x, full); return(x) }
  if (is.numeric(x)) { y <- sprintf("%.17g", x); dim(y) <- dim(x); return(y) }
  x
}
d <- read.csv(commandArgs(TRUE)[1], colClasses = c(participant = "character"))
d <- d[!is.na(d$count), ]
d <- d[order(d$participant, d$month), ]
d$test <- as.numeric(d$arm == "NK")
base <- d[d$month == 0, c("participant", "count")]; names(base)[2] <- "baseline"
d <- merge(d, base, all.x = TRUE); d <- d[order(d$participant, d$month), ]
d$change <- d$count - d$baseline
last <- d[d$month == max(d$month), ]

t_numbers <- function(t) list(estimate = unname(t$estimate[1] - t$estimate[2]), se = t$stderr, df = unname(t$parameter),
                              statistic = unname(t$statistic), p = t$p.value, low = t$conf.int[1], high = t$conf.int[2])
halves <- function(column) split(last[[column]], factor(last$arm, c("NK", "ART")))
two <- function(column, ...) { h <- halves(column); t_numbers(t.test(h$NK[!is.na(h$NK)], h$ART[!is.na(h$ART)], ...)) }

described <- function(x) {
  x <- x[!is.na(x)]; t <- t.test(x)
  list(n = length(x), mean = mean(x), sd = sd(x), low = t$conf.int[1], high = t$conf.int[2])
}
cells <- function(column) lapply(split(d, paste(d$arm, d$month, sep = ".")), function(x) described(x[[column]]))

w <- wilcox.test(halves("count")$NK, halves("count")$ART, conf.int = TRUE, exact = TRUE)

fit <- lm(count ~ baseline + test, last)
covariances <- list(model = vcov(fit), hc2 = vcovHC(fit, "HC2"), hc3 = vcovHC(fit, "HC3"))
ancova <- lapply(covariances, function(v) {
  est <- unname(coef(fit)["test"]); se <- sqrt(v["test", "test"]); df <- df.residual(fit)
  list(estimate = est, se = se, df = df, p = 2 * pt(-abs(est / se), df),
       low = est - qt(0.975, df) * se, high = est + qt(0.975, df) * se, slope = unname(coef(fit)["baseline"]))
})

wide <- reshape(d[, c("participant", "arm", "month", "count")], idvar = c("participant", "arm"), timevar = "month",
                direction = "wide")
wide <- wide[complete.cases(wide), ]
options(contrasts = c("contr.sum", "contr.poly"))
arm <- factor(wide$arm)
Y <- as.matrix(wide[, grep("^count", names(wide))])
m <- lm(Y ~ arm)
idata <- data.frame(month = factor(seq_len(ncol(Y))))
s <- summary(Anova(m, idata = idata, idesign = ~month, type = 3), multivariate = FALSE)
u <- unclass(s$univariate.tests); a <- s$pval.adjustments; q <- unclass(s$sphericity.tests)
# The P of car 3.1-1 and of R's mauchly.test takes 3p with p cells where Anderson's expansion has 3k with k contrasts
# (their line for w2): written out here with k.
mauchly_p <- function(w, k, df) {
  rho <- 1 - (2 * k^2 + k + 2) / (6 * k * df)
  second <- (k + 2) * (k - 1) * (k - 2) * (2 * k^3 + 6 * k^2 + 3 * k + 2) / (288 * (df * k * rho)^2)
  z <- -df * rho * log(w); f <- k * (k + 1) / 2 - 1
  first <- pchisq(z, f, lower.tail = FALSE)
  first + second * (pchisq(z, f + 4, lower.tail = FALSE) - first)
}
within <- function(name) list(
  f = u[name, "F value"], df = u[name, "num Df"], df2 = u[name, "den Df"], p = u[name, "Pr(>F)"],
  w = q[name, "Test statistic"], w_p = mauchly_p(q[name, "Test statistic"], ncol(Y) - 1, df.residual(m)), gg = a[name, "GG eps"], gg_p = a[name, "Pr(>F[GG])"],
  hf = a[name, "HF eps"], hf_p = a[name, "Pr(>F[HF])"], eta = u[name, "Sum Sq"] / (u[name, "Sum Sq"] + u[name, "Error SS"]))
difference <- lm(rowMeans(Y) ~ as.numeric(wide$arm == "NK"))
anova <- list(
  n = nrow(wide), month = within("month"), interaction = within("arm:month"),
  arm = list(f = u["arm", "F value"], df2 = u["arm", "den Df"], p = u["arm", "Pr(>F)"]),
  difference = list(estimate = unname(coef(difference)[2]), low = confint(difference)[2, 1], high = confint(difference)[2, 2]))

gee <- function(formula, data, exchangeable) {
  X <- model.matrix(formula, data); y <- model.response(model.frame(formula, data)); id <- data$participant
  p <- ncol(X); people <- unique(id); beta <- coef(lm.fit(X, y)); alpha <- 0
  inverse <- function(n) solve(if (exchangeable) (1 - alpha) * diag(n) + alpha else diag(n))
  for (step in 1:500) {
    e <- drop(y - X %*% beta); phi <- sum(e^2) / (length(y) - p); products <- 0; pairs <- 0
    for (i in people) {
      r <- e[id == i]; n <- length(r)
      products <- products + (sum(r)^2 - sum(r^2)) / 2; pairs <- pairs + n * (n - 1) / 2
    }
    alpha <- if (exchangeable) products / phi / (pairs - p) else 0
    left <- matrix(0, p, p); right <- numeric(p)
    for (i in people) {
      x <- X[id == i, , drop = FALSE]; W <- inverse(nrow(x))
      left <- left + t(x) %*% W %*% x; right <- right + t(x) %*% W %*% y[id == i]
    }
    new <- drop(solve(left, right)); moved <- max(abs(new - beta)); beta <- new
    if (moved < 1e-13 * max(abs(beta))) break
  }
  bread <- solve(left); power <- function(M, k) { v <- eigen(M); Re(v$vectors %*% diag(v$values^k, nrow(M)) %*% solve(v$vectors)) }
  meat <- function(k) {
    total <- matrix(0, p, p)
    for (i in people) {
      x <- X[id == i, , drop = FALSE]; W <- inverse(nrow(x)); e <- y[id == i] - x %*% beta
      if (k != 0) e <- power(diag(nrow(x)) - x %*% bread %*% t(x) %*% W, k) %*% e
      total <- total + tcrossprod(t(x) %*% W %*% e)
    }
    total
  }
  se <- function(k) sqrt(diag(bread %*% meat(k) %*% bread))[["test"]]
  K <- length(people); robust <- se(0); md <- se(-1); kc <- se(-0.5)
  list(estimate = beta[["test"]], alpha = alpha, K = K, df = K - p, robust = robust, "mancl-derouen" = md,
       "kauermann-carroll" = kc, "df-adjusted" = robust * sqrt(K / (K - p)),
       robust_p = 2 * pnorm(-abs(beta[["test"]]) / robust), robust_t_p = 2 * pt(-abs(beta[["test"]]) / robust, K - p),
       md_p = 2 * pt(-abs(beta[["test"]]) / md, K - p), kc_low = beta[["test"]] - qt(0.975, K - p) * kc)
}
later <- d[d$month > 0, ]
adjusted <- later[!is.na(later$baseline), ]
later$id <- as.integer(factor(later$participant))
g <- summary(geeglm(count ~ test, id = id, data = later, corstr = "exchangeable"))$coefficients

out <- list(
  made_with = list(R = R.version.string, car = as.character(packageVersion("car")),
                   sandwich = as.character(packageVersion("sandwich")), geepack = as.character(packageVersion("geepack"))),
  means = cells("count"), changes = lapply(split(d[d$month > 0, ], paste(d$arm, d$month, sep = ".")[d$month > 0]),
                                           function(x) described(x$change)),
  student = two("count", var.equal = TRUE), welch = two("count"), change = two("change", var.equal = TRUE),
  wilcoxon = list(estimate = unname(w$estimate), p = w$p.value, low = w$conf.int[1], high = w$conf.int[2]),
  ancova = ancova, anova = anova,
  gee = gee(count ~ test, later, TRUE), gee_adjusted = gee(count ~ test + factor(month) + baseline, adjusted, FALSE),
  geepack = list(estimate = g["test", "Estimate"], robust = g["test", "Std.err"])
)
cat(toJSON(full(out), auto_unbox = TRUE, pretty = 1), "\n")
